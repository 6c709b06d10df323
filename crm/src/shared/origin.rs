//! The names under which our ids stand in CRMs.

/// Whose records they are.
pub(crate) const SOURCE: &str = "switchboard";
/// A field for the id of our lead, where the CRM has none for origins.
pub(crate) const LEAD_FIELD: &str = "switchboard_lead_id";
/// The same for our contact and company.
pub(crate) const CONTACT_FIELD: &str = "switchboard_contact_id";
pub(crate) const COMPANY_FIELD: &str = "switchboard_company_id";
