package attack

import (
	"bytes"
	"compress/flate"
	"fmt"
	"strings"
)

// Family C, end: what is posted, and how much of it.

func encodings() []Case {
	bad := refuse("Base64")
	posted := func(id string, o Outcome, f func([]byte) []byte) Case {
		// The length is such that the last group has padding.
		return Case{ID: id, Outcome: o, base: change{text: func(_ *draft, s string) string { return s + strings.Repeat("\n", (4-len(s)%3)%3) }},
			attack: change{posted: func(_ *draft, b []byte) []byte { return f(b) }}}
	}
	splice := func(id, with string, at int) Case {
		return posted(id, bad, func(b []byte) []byte { return []byte(string(b[:at]) + with + string(b[at:])) })
	}
	return []Case{
		posted("C24/lines", accept(), func(b []byte) []byte { return fold(b, "\r\n") }),
		posted("C24/spaces", accept(), func(b []byte) []byte { return append([]byte(" \t\n"), append(fold(b, " "), '\n')...) }),
		splice("C24/junk", "!", 100),
		splice("C24/junk-high", "\x80", 100),
		splice("C24/nul", "\x00", 100),
		splice("C24/padding-inside", "=", 100),
		splice("C24/padded-group-inside", "AA==", 100),
		posted("C24/no-padding", bad, func(b []byte) []byte { return bytes.TrimRight(b, "=") }),
		posted("C24/after-padding", bad, func(b []byte) []byte { return append(b, "AAAA"...) }),
		posted("C24/too-much-padding", bad, func(b []byte) []byte { return append(b, '=') }),
		posted("C24/loose-bits", bad, func(b []byte) []byte { return []byte(looseBits(string(b))) }),
		posted("C24/url-alphabet", bad, func(b []byte) []byte { b[100], b[101] = '-', '_'; return b }),
		posted("C24/percent", bad, func(b []byte) []byte { return bytes.Replace(b, []byte("="), []byte("%3D"), 1) }),
		posted("C24/one-character", bad, func([]byte) []byte { return []byte("A") }),
		posted("C24/not-encoded", bad, func([]byte) []byte { return []byte("<saml2p:Response/>") }),
	}
}

// fold breaks lines as MIME does.
func fold(b []byte, end string) []byte {
	var out bytes.Buffer
	for len(b) > 76 {
		out.Write(b[:76])
		out.WriteString(end)
		b = b[76:]
	}
	out.Write(b)
	return out.Bytes()
}

func sizes() []Case {
	// Everything is put before the Status, in a Response that is not signed
	// there or is signed in vain: no reader may get as far as the signature.
	big := func(id string, f func() string) Case {
		return rewritten(id, refuse("Limit"), func(d *draft, s string) string {
			return beforeStatus("<saml2p:Extensions>"+f()+"</saml2p:Extensions>")(d, s)
		})
	}
	nested := func(n int) func() string {
		return func() string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }
	}
	list := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	return []Case{
		big("C29/70", nested(70)),
		big("C29/1000", nested(1000)),
		big("C29/100000", nested(100_000)),
		big("C29/never-closed", func() string { return strings.Repeat("<a>", 100_000) }),
		big("C29/namespaces", func() string {
			return list(200, `<a xmlns="urn:example:%d">`) + strings.Repeat("</a>", 200)
		}),
		rewritten("C30/bytes", refuse("Limit"), func(_ *draft, s string) string { return s + strings.Repeat(" ", 2<<20) }),
		big("C30/text", func() string { return "<a>" + strings.Repeat("x", 2<<20) + "</a>" }),
		big("C30/value", func() string { return `<a b="` + strings.Repeat("x", 2<<20) + `"/>` }),
		big("C30/name", func() string { return "<" + strings.Repeat("x", 2<<20) + "/>" }),
		big("C30/attributes", func() string { return "<a" + list(65, ` a%d="x"`) + "/>" }),
		big("C30/many-attributes", func() string { return "<a" + list(50_000, ` a%d="x"`) + "/>" }),
		big("C30/all-attributes", func() string { return strings.Repeat("<a"+list(60, ` a%d=""`)+"/>", 1100) }),
		big("C30/namespaces", func() string { return "<a" + list(33, ` xmlns:n%d="u:"`) + "/>" }),
		big("C30/all-namespaces", func() string { return strings.Repeat("<a"+list(32, ` xmlns:n%d="u:"`)+"/>", 2100) }),
		big("C30/elements", func() string { return strings.Repeat("<a/>", 100_001) }),
		big("C30/comments", func() string { return strings.Repeat("<!---->", 100_001) }),
		big("C30/texts", func() string { return strings.Repeat("<a>x</a>", 60_000) }),
		big("C30/ids", func() string { return list(100_001, `<a ID="i%d"/>`) }),
	}
}

// Deflated is what the HTTP-Redirect binding carries (Bindings 3.4.4.1), in
// base64. A good message is that in no binding by POST, and zeros are a bomb.
func Deflated(text []byte) string {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.BestCompression) // which is a level that there is
	_, _ = w.Write(text)
	_ = w.Close()
	return encode(out.Bytes())
}
