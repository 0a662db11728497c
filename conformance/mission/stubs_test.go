package mission

var configuration, backendRows, use, validation, practice, troubleshooting, beyond []row
