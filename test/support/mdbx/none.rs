// Cargo wants a target; script/setup-mdbx compiles the C source itself.
