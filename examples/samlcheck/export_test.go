package main

// Audiences are the facts of that name.
func Audiences(doc []byte) []string { return scan(doc).audiences }
