// Package testserver starts the servers that the tests of stores need, each
// with a folder of its own, on loopback.
package testserver
