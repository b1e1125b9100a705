# How your organisation operates the stack. Every setting has a default that suits production; docs/terraform.md lists
# them. osmt-bootstrap init changes nothing here but region_in_names, for a second region of the environment.
locals {
  operations = {
    # alarm_emails       = ["osmt-operators@your-organisation.org"]
    # monthly_budget_usd = 500
  }
}
