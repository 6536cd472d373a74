package saml

import (
	"net"
	"regexp"
	"strings"
)

// IsLoopback reports whether a host name or address, without brackets and a
// port, can only mean this machine: localhost and names below it (RFC 6761
// section 6.3), 127.0.0.0/8 and ::1. Plain http is accepted for these alone.
//
// Browsers ask no DNS server for such names. Go's resolver does, below
// localhost: a program that dials one dials localhost instead.
func IsLoopback(host string) bool {
	return localhost.MatchString(strings.ToLower(host)) || net.ParseIP(host).IsLoopback()
}

var localhost = regexp.MustCompile(`^([a-z0-9_-]+\.)*localhost\.?$`)
