package mockidp

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// What service providers do to a SAMLRequest by mistake. None of it is
// accepted; the refusal says what it looks like and what the binding wants.

const byteOrderMark = "\xef\xbb\xbf"

// withoutMark takes off the byte order mark of UTF-8, which a document may
// begin with (XML 1.0, 4.3.3 and appendix F). UTF-16 isn't read here.
func withoutMark(doc []byte) ([]byte, *Error) {
	for _, start := range []string{"\xff\xfe", "\xfe\xff", "<\x00", "\x00<"} {
		if bytes.HasPrefix(doc, []byte(start)) {
			return nil, malformed(nil, "SAMLRequest is in UTF-16; only UTF-8 is read here")
		}
	}
	return bytes.TrimPrefix(doc, []byte(byteOrderMark)), nil
}

// onlyUTF8 is the CharsetReader of a decoder that reads no other encoding.
func onlyUTF8(label string, _ io.Reader) (io.Reader, error) {
	return nil, fmt.Errorf("its XML declaration says %s; only UTF-8 is read here", quote(label))
}

// notBase64 says why a parameter isn't base64, as far as that shows.
func notBase64(param string, err error) *Error {
	switch {
	case looksXML([]byte(param)):
		return malformed(err, "SAMLRequest is XML that was not encoded in base64 (SAML Bindings 3.4.4.1, 3.5.4)")
	case strings.Contains(param, "%"):
		return malformed(err, "SAMLRequest is not base64: it looks percent-encoded twice")
	case strings.ContainsAny(param, "-_"):
		return malformed(err, "SAMLRequest is not base64: it looks like base64url, and the binding takes the alphabet with + and /")
	case strings.Contains(param, " "):
		return malformed(err, "SAMLRequest is not base64: it holds spaces, which a + becomes that was not percent-encoded")
	}
	return malformed(err, "SAMLRequest is not base64")
}

// notXML says that what HTTP-POST brought looks deflated; nil if it doesn't.
func notXML(raw []byte) *Error {
	if looksXML(raw) {
		return nil
	}
	out, _ := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw)), 64)) // enough to see how it begins
	if looksXML(out) || compressed(raw) != "" {
		return malformed(nil, "SAMLRequest looks deflated; HTTP-POST takes the base64 of the XML itself (SAML Bindings 3.5.4), and HTTP-Redirect is the binding that deflates")
	}
	return nil
}

// notDeflated says why HTTP-Redirect's octets aren't a DEFLATE stream, as far
// as that shows.
func notDeflated(raw []byte, err error) *Error {
	const want = "HTTP-Redirect takes a DEFLATE stream without a header (RFC 1951; SAML Bindings 3.4.4.1)"
	switch kind := compressed(raw); {
	case looksXML(raw):
		return malformed(err, "SAMLRequest was not deflated: it is the base64 of XML, as HTTP-POST takes it; %s", want)
	case kind != "":
		return malformed(err, "SAMLRequest looks like %s; %s", kind, want)
	}
	return malformed(err, "SAMLRequest is not a DEFLATE stream")
}

// compressed names the header that a stream begins with, or "".
func compressed(raw []byte) string {
	switch {
	case len(raw) > 2 && raw[0] == 0x1f && raw[1] == 0x8b:
		return "gzip (RFC 1952)"
	case len(raw) > 2 && raw[0]&0x0f == 8 && (int(raw[0])<<8|int(raw[1]))%31 == 0:
		return "a zlib stream (RFC 1950)"
	}
	return ""
}

// looksXML is true of octets that begin as an XML document in UTF-8 does.
func looksXML(b []byte) bool {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, []byte(byteOrderMark)), " \t\r\n")
	if len(b) < 2 || b[0] != '<' {
		return false
	}
	r, _ := utf8.DecodeRune(b[1:])
	return r == '?' || r == '!' || r == '_' || r == ':' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
}
