package mockidp

import (
	"bytes"
	"compress/flate"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Bindings (SAML Bindings 3.4, 3.5).
const (
	bindingRedirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	bindingPOST     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
	encodingDEFLATE = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"
)

type incoming struct {
	binding    string
	param      string // the name of the message's parameter, SAMLRequest or SAMLResponse
	message    string // its value; "" if there is none
	has        bool   // whether SAMLRequest is there at all
	relayState string
	hasRelay   bool
	loginHint  string // of the address's query, also with HTTP-POST
	detached   bool   // whether Signature is there
	sigAlg     string
	signature  string
	compose    url.Values // of composing; nil: none
	audience   string     // without SAMLRequest, see Config.AnyServiceProvider
	acs        string     // likewise
	query      string     // HTTP-Redirect: the octets of the query, which a signature covers

	client *x509.Certificate // SOAP: of the TLS client, which has its key; or nil
}

// readParams refuses duplicate parameters: two readers might pick different ones.
func readParams(binding string, v url.Values) (incoming, *Error) {
	in := incoming{binding: binding, param: "SAMLRequest"}
	for _, name := range []string{"SAMLRequest", "RelayState", "SAMLEncoding", "SigAlg", "Signature"} {
		if len(v[name]) > 1 {
			return in, malformed(nil, "the parameter %s occurs %d times", name, len(v[name]))
		}
	}
	if e := v.Get("SAMLEncoding"); e != "" && e != encodingDEFLATE {
		return in, mismatch(ReasonBinding, encodingDEFLATE, e, "unsupported SAMLEncoding (SAML Bindings 3.4.4)")
	}
	in.audience, in.acs = v.Get("audience"), v.Get("acs")
	in.message, in.has = v.Get("SAMLRequest"), v.Has("SAMLRequest")
	in.detached, in.sigAlg, in.signature = v.Has("Signature"), v.Get("SigAlg"), v.Get("Signature")
	in.relayState, in.hasRelay = v.Get("RelayState"), v.Has("RelayState")
	return in, checkRelayState(in.relayState)
}

// checkRelayState refuses a value that a form can't return unchanged.
func checkRelayState(s string) *Error {
	switch {
	case len(s) > maxRelayState:
		return mismatch(ReasonRelayState, itoa(maxRelayState)+" bytes at most", itoa(len(s)), "RelayState is too long")
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return errorf(ReasonRelayState, "RelayState is not UTF-8 text, so a form can't return it")
	}
	return nil
}

// xml undoes the encoding of the binding. The result is at most maxRequest bytes long.
func (in incoming) xml() ([]byte, *Error) {
	if len(in.message) > maxRequest {
		return nil, tooLarge("SAMLRequest")
	}
	if in.binding == bindingSOAP {
		return []byte(in.message), nil
	}
	raw, err := base64.StdEncoding.DecodeString(in.message)
	if err != nil {
		return nil, notBase64(in.message, err)
	}
	if in.binding == bindingPOST {
		return raw, notXML(raw)
	}
	return inflate(raw)
}

// inflate undoes the DEFLATE encoding (SAML Bindings 3.4.4.1). The limit is on the output, against compression bombs.
func inflate(raw []byte) ([]byte, *Error) {
	src := bytes.NewReader(raw) // a ByteReader: flate reads nothing past the end
	out, err := io.ReadAll(io.LimitReader(flate.NewReader(src), maxRequest+1))
	if len(out) > maxRequest {
		return nil, tooLarge("the inflated SAMLRequest")
	}
	if err != nil {
		return nil, notDeflated(raw, err)
	}
	if src.Len() > 0 {
		return nil, malformed(nil, "SAMLRequest has %d bytes after the end of its DEFLATE stream", src.Len())
	}
	return out, nil
}

func tooLarge(what string) *Error {
	return errorf(ReasonTooLarge, "%s is over %d bytes", what, maxRequest)
}

// The functions below recognize common mistakes of service providers, for the error. They accept none of them.

const byteOrderMark = "\xef\xbb\xbf"

// withoutMark removes the UTF-8 byte order mark (XML 1.0, 4.3.3 and appendix F). UTF-16 is not supported.
func withoutMark(doc []byte) ([]byte, *Error) {
	for _, start := range []string{"\xff\xfe", "\xfe\xff", "<\x00", "\x00<"} {
		if bytes.HasPrefix(doc, []byte(start)) {
			return nil, malformed(nil, "SAMLRequest is in UTF-16; only UTF-8 is supported")
		}
	}
	return bytes.TrimPrefix(doc, []byte(byteOrderMark)), nil
}

// onlyUTF8 is the CharsetReader of a decoder that supports no other encoding.
func onlyUTF8(label string, _ io.Reader) (io.Reader, error) {
	return nil, fmt.Errorf("the XML declaration names the encoding %s; only UTF-8 is supported", quote(label))
}

func notBase64(param string, err error) *Error {
	switch {
	case looksXML([]byte(param)):
		return malformed(err, "SAMLRequest is XML that was not encoded in base64 (SAML Bindings 3.4.4.1, 3.5.4)")
	case strings.Contains(param, "%"):
		return malformed(err, "SAMLRequest is not base64: it looks percent-encoded twice")
	case strings.ContainsAny(param, "-_"):
		return malformed(err, "SAMLRequest is not base64: it looks like base64url; the binding uses + and /")
	case strings.Contains(param, " "):
		return malformed(err, "SAMLRequest is not base64: it holds spaces, probably from a + that was not percent-encoded")
	}
	return malformed(err, "SAMLRequest is not base64")
}

// notXML reports a message of HTTP-POST that looks deflated; nil if it doesn't.
func notXML(raw []byte) *Error {
	if looksXML(raw) {
		return nil
	}
	out, _ := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw)), 64)) // enough for looksXML
	if looksXML(out) || compressed(raw) != "" {
		return malformed(nil, "SAMLRequest looks deflated; HTTP-POST takes the base64 of the XML itself "+
			"(SAML Bindings 3.5.4), and HTTP-Redirect is the binding that deflates")
	}
	return nil
}

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

// looksXML reports whether octets begin as an XML document in UTF-8 does.
func looksXML(b []byte) bool {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, []byte(byteOrderMark)), " \t\r\n")
	if len(b) < 2 || b[0] != '<' {
		return false
	}
	r, _ := utf8.DecodeRune(b[1:])
	return r == '?' || r == '!' || r == '_' || r == ':' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
}
