package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// userHeader has the NameID of the signed-in user.
const userHeader = "Remote-User"

// identityHeaders are the headers that an application reads. Every answer that lets a request through has all of
// them, so that a proxy that copies them replaces what a client sent.
var identityHeaders = [...]string{userHeader, "Remote-Email", "Remote-Name", "Remote-Groups"}

func isIdentityHeader(name string) bool { return slices.Contains(identityHeaders[:], name) }

// maxIdentity bounds the identity headers of a request in bytes. The configurations of the proxies have room for it.
const maxIdentity = 8 << 10

// identity are the values of the identity headers, in their order. "" is an empty header.
type identity [len(identityHeaders)]string

// set adds all identity headers to an answer.
func (id identity) set(h http.Header) error {
	size := 0
	for i, name := range identityHeaders {
		h.Set(name, id[i])
		size += len(name) + len(id[i])
	}
	if size > maxIdentity {
		return fmt.Errorf("the identity headers have %d bytes, more than %d: does the application need all groups?",
			size, maxIdentity)
	}
	return nil
}

// headerValue joins values by commas. It percent-encodes what a header can't have, what proxies and applications may
// drop or read differently, and in each value the comma and the percent sign. So two lists of values never have the
// same header: a group named "users,admins" is not two groups.
func headerValue(values ...string) string {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		for j := range len(v) {
			edge := j == 0 || j == len(v)-1
			if c := v[j]; c > ' ' && c < 0x7f && c != ',' && c != '%' || c == ' ' && !edge {
				b.WriteByte(c)
			} else {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		}
	}
	return b.String()
}
