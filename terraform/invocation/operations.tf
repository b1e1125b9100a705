# How your organisation operates the stack. The defaults are for production; docs/terraform.md lists the settings.
# osmt-bootstrap init changes only region_in_names, for a second Region of the same environment.
locals {
  operations = {
    # alarm_emails       = ["osmt-operators@your-organisation.org"]
    # monthly_budget_usd = 500
  }
}
