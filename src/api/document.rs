//! All operations with the roles that they take, and the document that says what each does (`OpenAPI` 3.1).

use axum::middleware::from_fn_with_state;
use fecha_core::party::person::Role;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Ref, Schema, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Content, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, RefOr, Required, Server,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::gate::{self, Gate};
use super::once::{self, CarriedOut};
use super::problem::ProblemJson;
use super::{
    Api, Kind, PATH, audit, dealerships, invoices, months, outbox, payments, receivables, tasks,
};

/// What an operation says of itself beside what `OpenAPI` has: the role that it takes.
const ROLE: &str = "x-role";

/// All operations.
pub fn operations(api: &Api) -> OpenApiRouter<Api> {
    let reads = OpenApiRouter::new()
        .routes(routes!(months::list))
        .routes(routes!(months::plan))
        .routes(routes!(invoices::list))
        .routes(routes!(invoices::show))
        .routes(routes!(invoices::file))
        .routes(routes!(dealerships::list))
        .routes(routes!(dealerships::show))
        .routes(routes!(dealerships::contracts))
        .routes(routes!(receivables::show))
        .routes(routes!(payments::list))
        .routes(routes!(payments::show))
        .routes(routes!(outbox::list))
        .routes(routes!(audit::log))
        .routes(routes!(tasks::list))
        .routes(routes!(tasks::show));
    let finance = OpenApiRouter::new()
        .routes(routes!(months::look))
        .routes(routes!(months::preview))
        .routes(routes!(months::compare))
        .routes(routes!(months::release))
        .routes(routes!(payments::for_invoice))
        .routes(routes!(payments::for_account))
        .routes(routes!(payments::for_group))
        .routes(routes!(payments::undo))
        .routes(routes!(invoices::resend))
        .routes(routes!(outbox::resend));
    let admin = OpenApiRouter::new()
        .routes(routes!(months::rerun))
        .routes(routes!(invoices::cancel))
        .routes(routes!(dealerships::contract));
    OpenApiRouter::with_openapi(OpenApiBuilder::new().build())
        .merge(behind(api, Role::Viewer, reads))
        .merge(behind(api, Role::Finance, once(api, finance)))
        .merge(behind(api, Role::Admin, once(api, admin)))
}

/// Operations that take a role.
fn behind(api: &Api, role: Role, mut some: OpenApiRouter<Api>) -> OpenApiRouter<Api> {
    for operation in each(some.get_openapi_mut()) {
        let role = [(ROLE.to_owned(), serde_json::json!(role.key()))];
        operation.extensions.get_or_insert_default().extend(role);
        operation.security = Some(vec![SecurityRequirement::new("token", [""; 0])]);
    }
    some.route_layer(from_fn_with_state(Gate { api: api.clone(), role }, gate::pass))
}

/// Operations that are carried out once for each key.
fn once(api: &Api, some: OpenApiRouter<Api>) -> OpenApiRouter<Api> {
    some.route_layer(from_fn_with_state(api.clone(), once::carry_out))
}

fn each(document: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    let items = document.paths.paths.values_mut();
    items.flat_map(|item| item.get.iter_mut().chain(item.post.iter_mut()))
}

/// Says what all operations have in common.
pub fn complete(document: &mut OpenApi) {
    document.info = InfoBuilder::new()
        .title("fecha")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Months, invoices and money of a reseller of the WhatsApp Business API. Money is a text such as \"1014.00\", an instant is UTC. A list goes from the oldest to the newest; its Link header leads to the next page."))
        .build();
    document.servers = Some(vec![Server::new(PATH)]);
    let components = document.components.get_or_insert_default();
    let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.security_schemes.insert("token".to_owned(), token.into());
    components.schemas.insert(ProblemJson::name().into_owned(), ProblemJson::schema());
    components.schemas.insert(CarriedOut::name().into_owned(), CarriedOut::schema());
    for item in document.paths.paths.values_mut() {
        if let Some(operation) = &mut item.get {
            answers(operation, &READS);
            link(operation);
        }
        if let Some(operation) = &mut item.post {
            answers(operation, &READS);
            answers(operation, &POSTS);
            key(operation);
            answered_before(operation);
        }
    }
}

const READS: [Kind; 6] = [
    Kind::BadRequest,
    Kind::Unauthorized,
    Kind::Forbidden,
    Kind::NotFound,
    Kind::Failed,
    Kind::Away,
];
const POSTS: [Kind; 4] = [Kind::Refused, Kind::TooLarge, Kind::NotJson, Kind::Invalid];

fn answers(operation: &mut Operation, kinds: &[Kind]) {
    let document = Ref::from_schema_name(ProblemJson::name());
    for kind in kinds {
        let (status, _, title) = kind.words();
        let content = ContentBuilder::new().schema(Some(document.clone())).build();
        let response = ResponseBuilder::new()
            .description(title)
            .content("application/problem+json", content)
            .build();
        operation.responses.responses.insert(status.as_str().to_owned(), response.into());
    }
}

/// Of a list: where the next page is.
fn link(operation: &mut Operation) {
    let is_list = operation
        .parameters
        .iter()
        .flatten()
        .any(|one| matches!(one, RefOr::T(one) if one.name == "after"));
    let ok = operation.responses.responses.get_mut("200").filter(|_| is_list);
    if let Some(RefOr::T(Response { headers, .. })) = ok {
        let text = ObjectBuilder::new().schema_type(Type::String).build();
        let mut link = Header::new(text);
        link.description = Some("The next page, where there is one (RFC 8288)".to_owned());
        headers.insert("Link".to_owned(), link.into());
    }
}

/// Each POST comes with a key.
fn key(operation: &mut Operation) {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(once::LONGEST))
        .pattern(Some("^[!-~]+$"))
        .build();
    let parameter: Parameter = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some("Another one for each deed; the same where it is sent again: it is done once, and answered alike for 30 days. With another request it is refused."))
        .schema(Some(schema))
        .build();
    operation.parameters.get_or_insert_default().push(parameter.into());
}

/// Whoever carried a request out may have died before it answered.
fn answered_before(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    let lost = Ref::from_schema_name(CarriedOut::name());
    let own = match responses.get_mut("200") {
        Some(RefOr::T(own)) => own.content.swap_remove("application/json"),
        _ => None,
    };
    let schema: RefOr<Schema> = match own {
        Some(RefOr::T(Content { schema: Some(own), .. })) => {
            Schema::OneOf(OneOfBuilder::new().item(own).item(lost).build()).into()
        }
        _ => lost.into(),
    };
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new()
        .description("It is done; where a process died before it answered, only that is said")
        .content("application/json", content)
        .build();
    responses.insert("200".to_owned(), response.into());
}
