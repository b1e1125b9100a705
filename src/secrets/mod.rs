//! Carries secrets between the keyring and Secrets Manager; never shows a value.
