package center

import (
	"net"
	"regexp"
	"strings"
)

// IsLoopback reports whether a host name or address, without brackets and a
// port, can only mean this machine: localhost and names below it (RFC 6761
// section 6.3), 127.0.0.0/8 and ::1. It is saml.IsLoopback again, because this
// package imports none of the module's: one table tests both.
func IsLoopback(host string) bool {
	return localhost.MatchString(strings.ToLower(host)) || net.ParseIP(host).IsLoopback()
}

var localhost = regexp.MustCompile(`^([a-z0-9_-]+\.)*localhost\.?$`)
