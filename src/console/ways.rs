//! Every way into the console: what is asked for by which method, and the role that it takes. Tests read the same
//! table, so a form that is open to the wrong people cannot be forgotten.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, get, post};
use fecha_core::party::person::Role;

use super::{Console, access, pages};

/// One way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// With names in braces where something is filled in.
    pub path: &'static str,
    /// Who may; whoever may read may ask for every page.
    pub role: Role,
}

/// Ways that are being put together.
#[derive(Default)]
#[must_use]
pub struct Ways {
    router: Router<Console>,
    table: Vec<Way>,
}

impl Ways {
    /// A page.
    pub fn get<H, T>(self, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Console>,
        T: 'static,
    {
        self.add("GET", path, Role::Viewer, get(handler))
    }

    /// A form.
    pub fn post<H, T>(self, path: &'static str, role: Role, handler: H) -> Self
    where
        H: Handler<T, Console>,
        T: 'static,
    {
        self.add("POST", path, role, post(handler))
    }

    /// A page that only some may read.
    pub fn get_as<H, T>(self, path: &'static str, role: Role, handler: H) -> Self
    where
        H: Handler<T, Console>,
        T: 'static,
    {
        self.add("GET", path, role, get(handler))
    }

    fn add(
        mut self,
        method: &'static str,
        path: &'static str,
        role: Role,
        handler: MethodRouter<Console>,
    ) -> Self {
        self.table.push(Way { method, path, role });
        self.router = self.router.route(path, handler);
        self
    }

    /// Serves them.
    pub fn router(self, console: Console) -> Router {
        access::guarded(self.router, &self.table, &console).with_state(console)
    }
}

/// All ways in for those who are signed in.
pub fn all() -> Ways {
    let ways = Ways::default();
    let ways = pages::today::ways(ways);
    let ways = pages::months::ways(ways);
    let ways = pages::invoices::ways(ways);
    let ways = pages::invoice::ways(ways);
    let ways = pages::payments::ways(ways);
    let ways = pages::receivables::ways(ways);
    let ways = pages::account::ways(ways);
    let ways = pages::bank::ways(ways);
    let ways = pages::emails::ways(ways);
    let ways = pages::people::ways(ways);
    let ways = pages::tokens::ways(ways);
    let ways = pages::month::ways(ways);
    let ways = pages::differences::ways(ways);
    let ways = pages::pro_forma::ways(ways);
    let ways = pages::downloads::ways(ways);
    let ways = pages::task::ways(ways);
    let ways = pages::dealerships::ways(ways);
    let ways = pages::import::ways(ways);
    let ways = pages::dealership::ways(ways);
    let ways = pages::simulate::ways(ways);
    let ways = pages::audit::ways(ways);
    pages::system::ways(ways)
}

/// The table of all ways in.
#[must_use]
pub fn table() -> Vec<Way> {
    all().table
}
