package federation

// CheckAddress is what each connection is checked with.
var CheckAddress = checkAddress
