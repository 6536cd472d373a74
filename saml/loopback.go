package saml

import (
	"net"
	"regexp"
	"strings"
)

// IsLoopback reports whether a host name or address, without brackets and port, can
// only mean this machine: localhost and names below it (RFC 6761 section 6.3),
// 127.0.0.0/8 and ::1. Plain http is accepted for these alone.
//
// Browsers send no DNS query for such names. Go's resolver does for names below
// localhost: a program should dial localhost instead.
func IsLoopback(host string) bool {
	return localhost.MatchString(strings.ToLower(host)) || net.ParseIP(host).IsLoopback()
}

var localhost = regexp.MustCompile(`^([a-z0-9_-]+\.)*localhost\.?$`)
