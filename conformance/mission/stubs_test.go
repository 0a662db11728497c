package mission

var beyond []row
