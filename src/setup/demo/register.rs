//! The register of the demo: invented dealerships, each there to show something.

use fecha_core::calendar::month::Month;

/// `dealerships.csv`. The CNPJs have valid check digits and a root that nobody has; addresses end in
/// `.example`, which belongs to nobody.
pub const DEALERSHIPS: &str = include_str!("../../../templates/demo/dealerships.csv");

/// `contracts.csv` for a demo that closes `month`: in it one dealership moves to a larger package,
/// and the contract of another has ended.
#[must_use]
pub fn contracts(month: Month) -> String {
    let previous = month.previous();
    format!(
        "dealership_id,from_month,package
aurora,2024-01,5000
serra-alta,2024-01,5000
ilha-norte,2024-03,5000
ilha-norte,{month},10000
paulista-sul,2024-01,10000
tres-montanhas,2024-02,5000
ipe-amarelo,2024-02,5000
pampa,2024-05,5000
igarape,2024-01,5000
duas-aguas,2024-06,5000
seringueira,2024-01,5000
golfinho,2024-09,5000
araucaria,{previous},5000
vale-antigo,2024-01,5000
vale-antigo,{month},none
"
    )
}
