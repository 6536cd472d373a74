// Package testserver starts the servers that tests of stores need: on loopback,
// each in a directory of its own.
package testserver
