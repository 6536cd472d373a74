package attack

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Words like %name% in the catalogue stand for values. Most are from the parameters
// and the document, and some from the value that a step changes.

var (
	placeholder = regexp.MustCompile(`%([^%]+)\*(\d+)%|%([^%\s]+)%`)
	part        = regexp.MustCompile(`^old\[(-?\w*):(-?\w*)\]$`)
)

// fill replaces names with values. Unknown names stay.
func fill(s string, value func(name string) (string, bool)) string {
	return placeholder.ReplaceAllStringFunc(s, func(all string) string {
		m := placeholder.FindStringSubmatch(all)
		if m[2] != "" {
			n, _ := strconv.Atoi(m[2])
			return strings.Repeat(m[1], n)
		}
		if v, ok := value(m[3]); ok {
			return v
		}
		return all
	})
}

func (d *draft) expandAll(args []string) []string {
	out := make([]string, len(args))
	for i, s := range args {
		out[i] = fill(s, d.value)
	}
	return out
}

// value returns the value of a name in this document.
func (d *draft) value(name string) (string, bool) {
	if path, attr, ok := strings.Cut(name, "@"); ok {
		return d.find(path).SelectAttrValue(attr, ""), true
	}
	f, ok := values[name]
	if !ok {
		return "", false
	}
	return f(d), true
}

var values = map[string]func(*draft) string{
	"audience":  func(d *draft) string { return d.p.Audience },
	"recipient": func(d *draft) string { return d.p.Recipient },
	"other": func(d *draft) string {
		if d.p.OtherACS == "" {
			d.fail("Params.OtherACS is required")
		}
		return d.p.OtherACS
	},
	"request":   func(d *draft) string { return d.p.RequestID },
	"subject":   func(d *draft) string { return d.p.Subject },
	"forged":    func(d *draft) string { return d.p.Forged },
	"issuer":    func(d *draft) string { return d.p.Issuer },
	"other-idp": func(d *draft) string { return d.p.OtherIdP },
	"session":   func(d *draft) string { return d.logout.SessionIndex },
	"resolve":   func(d *draft) string { return d.artifact.ResolveID },
	"now":       func(d *draft) string { return d.at(0) },
	"until":     func(d *draft) string { return d.at(lifetime) },
	"past":      func(d *draft) string { return d.at(-time.Hour) },

	// Parts and other spellings of the recipient's URL.
	"scheme": func(d *draft) string { return d.url().scheme },
	"host":   func(d *draft) string { return d.url().host },
	"path":   func(d *draft) string { return d.url().path },
	"PATH":   func(d *draft) string { return strings.ToUpper(d.url().path) },
	"origin": func(d *draft) string { return d.url().origin() },
	"ORIGIN": func(d *draft) string { return strings.ToUpper(d.url().origin()) },
	"host-without-brackets": func(d *draft) string {
		return strings.NewReplacer("[", "%5B", "]", "%5D").Replace(d.url().host)
	},
	"other-port": func(d *draft) string { return otherPort(d.p.Recipient, d.url()) },
	"last-percent-encoded": func(d *draft) string {
		end := len(d.p.Recipient) - 1
		return fmt.Sprintf("%s%%%02X", d.p.Recipient[:end], d.p.Recipient[end])
	},

	"new-id":     (*draft).newID,
	"longest-id": func(d *draft) string { return ("a" + hex.EncodeToString(d.random(128)))[:256] },
	"other-id":   func(d *draft) string { return d.otherThan(d.sig.parent).SelectAttrValue("ID", "") },

	"empty-digest":  func(d *draft) string { return d.digestOf(sha256Digest, nil) },
	"forged-digest": func(d *draft) string { return d.digestOf(sha256Digest, []byte("forged")) },
	"other-method":  func(d *draft) string { return otherMethod(d.key) },
	"key-value":     (*draft).keyValue,

	"next-certificate": func(d *draft) string { return encode(d.issued(NextKey, NextKey, NextKey)) },

	"forged-assertion": func(d *draft) string { return d.plaintext(d.forgedAssertion()) },
	"forged-response":  func(d *draft) string { return d.plaintext(d.forgedResponse()) },
}

// address is a URL, split as it is spelled.
type address struct{ scheme, host, path string }

func (d *draft) url() address {
	scheme, rest, _ := strings.Cut(d.p.Recipient, "://")
	host := rest
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		host = rest[:i]
	}
	return address{scheme, host, rest[len(host):]}
}

func (a address) origin() string { return a.scheme + "://" + a.host }

// otherPort returns a URL with another port, which is not the default one.
func otherPort(url string, a address) string {
	host := a.host
	if bare := strings.TrimRight(host, "0123456789"); strings.HasSuffix(bare, ":") {
		host = strings.TrimSuffix(bare, ":")
	}
	if other := a.scheme + "://" + host + ":8443" + a.path; other != url {
		return other
	}
	return a.scheme + "://" + host + ":8444" + a.path
}

// rewritten returns s with the parts of an old value.
func rewritten(s, old string) string {
	return fill(s, func(name string) (string, bool) {
		if m := part.FindStringSubmatch(name); m != nil {
			return cut(old, m[1], m[2]), true
		}
		f, ok := ofOld[name]
		if !ok {
			return "", false
		}
		return f(old), true
	})
}

var ofOld = map[string]func(old string) string{
	"old": func(old string) string { return old },
	"OLD": strings.ToUpper,
	"swapped-case": func(old string) string {
		if up := strings.ToUpper(old); up != old {
			return up
		}
		return strings.ToLower(old)
	},
	// A Cyrillic letter instead of a Latin one.
	"homoglyph":  func(old string) string { return strings.Replace(old, "e", "\u0435", 1) },
	"loose-bits": looseBits,
	"body":       func(old string) string { _, body, _ := strings.Cut(old, "?>"); return body },
	"crlf":       func(old string) string { return strings.ReplaceAll(old, "\n", "\r\n") },
	"utf-7":      func(old string) string { return strings.ReplaceAll(old, "<", "+ADw-") },
	"utf-16-le":  func(old string) string { return string(utf16Bytes(old, false)) },
	"utf-16-be":  func(old string) string { return string(utf16Bytes(old, true)) },
	"latin-1": func(old string) string {
		var out []byte
		for _, r := range old {
			out = append(out, byte(r))
		}
		return string(out)
	},
}

// cut returns s[from:to]. A negative index counts from the end, and "half" is the
// middle. Both halves of a single letter are that letter.
func cut(s, from, to string) string {
	runes := []rune(s)
	if len(runes) < 2 && (from == "half" || to == "half") {
		return s
	}
	at := func(index string, none int) int {
		n, err := strconv.Atoi(index)
		switch {
		case index == "half":
			return len(string(runes[:len(runes)/2]))
		case err != nil:
			return none
		case n < 0:
			return max(0, len(s)+n)
		}
		return min(n, len(s))
	}
	return s[at(from, 0):at(to, len(s))]
}

// looseBits returns another base64 of the same octets: the unused bits before the
// padding are set.
func looseBits(b64 string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	at := strings.IndexByte(b64, '=') - 1
	if at < 0 {
		return b64
	}
	return b64[:at] + string(alphabet[strings.IndexByte(alphabet, b64[at])|1]) + b64[at+1:]
}
