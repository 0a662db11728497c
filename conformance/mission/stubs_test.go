package mission

var practice, troubleshooting, beyond []row
