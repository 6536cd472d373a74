package run

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// identity finds the page that shows the signed-in user, and where on the page.
func (d *discoverer) identity() error {
	var answers []string
	for _, w := range d.tries() {
		d.way = w
		alice, err := d.signedIn(d.Subject)
		answer := ""
		if err != nil {
			answer = reason(err)
		} else {
			seen := d.search(alice)
			if d.Probe != "" && d.Identity != nil {
				return nil
			}
			answer = fmt.Sprintf("status %d, %s, and then no page shows %q (%s)",
				alice.status, excerpt(alice.body), d.Subject, strings.Join(seen, ", "))
		}
		if !slices.Contains(answers, answer) { // most refuse in the same words, whatever is signed
			answers = append(answers, answer)
		}
	}
	return fmt.Errorf("no user is seen to be signed in by a good response. Does the service provider trust this identity "+
		"provider, and show the user's name? It answers: %s", strings.Join(answers, "; "))
}

// search looks at the pages that may show the user. It returns those that don't.
func (d *discoverer) search(alice *guest) []string {
	var seen []string
	for _, at := range d.pages(alice) {
		p, err := alice.b.get(d.ctx, at)
		if err != nil || p.leaving != nil {
			continue
		}
		shown := strings.Contains(p.body, d.Subject)
		if d.Identity != nil {
			shown = d.userIn(p) == d.Subject
		}
		if shown {
			if d.show(at, p) {
				return nil
			}
		}
		if p.status != http.StatusNotFound {
			seen = append(seen, p.url.Redacted())
		}
	}
	return seen
}

// guest is a browser to which a good response was posted.
type guest struct {
	page
	b *browser
}

// signedIn posts a good response about a user. The error says that it was refused.
func (d *discoverer) signedIn(user string) (*guest, error) {
	v, err := d.beginUnseen()
	if err != nil {
		return nil, err
	}
	params := d.params(v, good, d.way)
	params.Subject = user
	m, err := good.Make(params)
	if err != nil {
		return nil, err
	}
	p, err := v.post(d.ctx, m.SAMLResponse)
	switch {
	case err != nil:
		return nil, err
	case p.status >= 400 || p.leaving != nil && p.leaving.Query().Has("SAMLRequest"):
		return nil, fmt.Errorf("refused with status %d, %s", p.status, excerpt(p.body))
	}
	return &guest{p, v.b}, nil
}

// tries lists the ways of signing, the one that most service providers accept first.
func (d *discoverer) tries() []way {
	var out []way
	for _, encrypted := range []bool{false, true} {
		for _, sign := range []attack.Sign{attack.SignBoth, attack.SignAssertion, attack.SignResponse} {
			if slices.Contains(d.Sign, sign) && (!encrypted || d.EncryptTo != nil) {
				out = append(out, way{key: attack.RSA, sign: sign, encrypted: encrypted})
			}
		}
	}
	return out
}

// beginUnseen begins a sign-in without a look at the probe, which is not known.
func (d *discoverer) beginUnseen() (*visit, error) {
	v := d.newVisit()
	if d.IdPInitiated {
		return v, nil
	}
	p, err := v.b.get(d.ctx, d.Login)
	if err != nil {
		return nil, err
	}
	v.request, err = d.requestIn(p)
	return v, err
}

// pages lists pages that may show the user, the likely ones first.
func (d *discoverer) pages(g *guest) []string {
	if d.Probe != "" {
		return []string{d.Probe}
	}
	var out []string
	add := func(u *url.URL) {
		if text := u.String(); isHTTP(u) && text != d.ACS && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	if g.leaving != nil && !g.leaving.Query().Has("SAMLRequest") { // another host of the service provider
		d.addSite(g.leaving.String())
		add(g.leaving)
	}
	add(g.url)
	for _, known := range []string{d.ACS, d.Login} {
		u, err := url.Parse(known)
		if err != nil || u.Host == "" {
			continue
		}
		for _, path := range []string{
			"/", "/whoami", "/me", "/user", "/profile", "/account", "/home", "/dashboard", "/protected", "/secure", "/hello",
			"/welcome", "/api/me", "/api/user", "/session", "/userinfo",
		} {
			add(&url.URL{Scheme: u.Scheme, Host: u.Host, Path: path})
		}
		if known == d.Login {
			add(u)
		}
	}
	return out
}

// show sets Probe and Identity to a page that names Subject, unless it does so for a browser that has not signed in.
func (d *discoverer) show(at string, p page) bool {
	fresh, err := d.newBrowser().get(d.ctx, at)
	if err != nil {
		return false
	}
	without := fresh.body
	if fresh.leaving != nil {
		without = ""
	}
	name, other := d.second(at)
	re := d.Identity
	if re == nil {
		re = identityPattern(p.body, d.Subject, other, name, without)
	}
	if re == nil || re.MatchString(without) {
		return false
	}
	if d.Probe == "" {
		d.add("Probe", at, d.signInAs())
	}
	if d.Identity == nil {
		d.add("Identity", re.String(), d.signInAs())
	}
	d.Probe, d.Identity = at, re
	return true
}

func (d *discoverer) signInAs() string { return fmt.Sprintf("a sign-in as %q", d.Subject) }

// second signs another user in and returns that name and the page. It is Forged, or Subject again if the service
// provider does not know Forged. If the page still names Subject, an attribute names the user.
func (d *discoverer) second(at string) (name, body string) {
	p := d.after(d.Forged, at)
	if strings.Contains(p, d.Forged) {
		return d.Forged, p
	}
	if attribute := d.attributeNaming(d.Subject); strings.Contains(p, d.Subject) && d.IdentityAttribute == "" {
		d.IdentityAttribute = attribute
		if p := d.after(d.Forged, at); strings.Contains(p, d.Forged) {
			d.add("IdentityAttribute", attribute, d.signInAs())
			return d.Forged, p
		}
		d.IdentityAttribute = ""
	}
	return d.Subject, d.after(d.Subject, at)
}

// after returns a page as a user sees it who has just signed in, or "".
func (d *discoverer) after(user, at string) string {
	g, err := d.signedIn(user)
	if err != nil {
		return ""
	}
	p, err := g.b.get(d.ctx, at)
	if err != nil || p.leaving != nil {
		return ""
	}
	return p.body
}

// attributeNaming returns the name of the attribute with a value.
func (d *discoverer) attributeNaming(value string) string {
	all := d.Attributes
	if all == nil {
		all = attack.DefaultAttributes()
	}
	for _, a := range all {
		if slices.Equal(a.Values, []string{value}) {
			return a.Name
		}
	}
	return ""
}

// identityPattern returns an expression that finds a user in both pages, by the common text around the names, or nil.
// It does not match the third page, which shows no user.
func identityPattern(one, name, other, otherName, without string) *regexp.Regexp {
	for _, at := range places(one, name) {
		for _, otherAt := range places(other, otherName) {
			re := around(one[:at], one[at+len(name):], other[:otherAt], other[otherAt+len(otherName):])
			finds := func(page, name string) bool {
				m := re.FindStringSubmatch(page)
				return m != nil && m[1] == name
			}
			if finds(one, name) && finds(other, otherName) && !re.MatchString(without) {
				return re
			}
		}
	}
	return nil
}

// places lists where a name is in a page, up to ten times.
func places(page, name string) []int {
	var out []int
	for from := 0; len(out) < 10; {
		at := strings.Index(page[from:], name)
		if at < 0 {
			break
		}
		out = append(out, from+at)
		from += at + len(name)
	}
	return out
}

// around returns an expression for what is between the common end of two texts and the common beginning of two others.
func around(before, after, otherBefore, otherAfter string) *regexp.Regexp {
	const most = 32 // characters on each side
	n, a, b := 0, len(before), len(otherBefore)
	for n < min(most, a, b) && before[a-1-n] == otherBefore[b-1-n] {
		n++
	}
	start := before[a-n:]
	n = 0
	for n < min(most, len(after), len(otherAfter)) && after[n] == otherAfter[n] {
		n++
	}
	end := after[:n]
	start, end = strings.ToValidUTF8(start, ""), strings.ToValidUTF8(end, "")
	if at := strings.LastIndexByte(start, '\n'); at >= 0 && strings.TrimSpace(start[at:]) != "" {
		start = start[at+1:]
	}
	if at := strings.IndexByte(end, '\n'); at >= 0 && strings.TrimSpace(end[:at]) != "" {
		end = end[:at]
	}
	group, first, last := `((?s:.){1,256}?)`, "", ""
	if start == before && start == otherBefore {
		first = `\A`
	}
	switch {
	case end != "" && strings.ContainsRune(`<"'&`+"\n", rune(end[0])): // which no name has
		group, end = `([^`+quoted(end[:1])+`]{1,256})`, end[:1]
	case end == after && end == otherAfter:
		last = `\z`
	}
	return regexp.MustCompile(first + quoted(start) + group + quoted(end) + last)
}

// quoted is QuoteMeta without line ends, for a flag.
func quoted(s string) string {
	return strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(regexp.QuoteMeta(s))
}
