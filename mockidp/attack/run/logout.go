package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// Attacks by logout messages. A user signs in, and the same browser sends the message, as identity providers have it
// do. Whether it was accepted shows by the user's session.

func logoutEntry(c attack.LogoutCase) Entry {
	expected := "refused"
	if c.Outcome.Ends() {
		expected = "accepted"
	}
	return newEntry(c.ID, c.Name, expected, c.Reference)
}

func (r *runner) runLogout(ctx context.Context, c attack.LogoutCase, why string) Result {
	need, missing := r.missingForLogout(c)
	return r.runOne(ctx, logoutEntry(c), need, missing, why, func() RunResult { return r.tryLogout(ctx, c) })
}

// missingForLogout returns what a case needs and this run lacks, or "" and "".
func (r *runner) missingForLogout(c attack.LogoutCase) (Need, string) {
	_, need, noKey := r.IdP.key(c.Key)
	switch {
	case r.Logout[c.Binding] == "":
		return NeedLogout, "it needs a service provider with single logout by " + c.Binding.String()
	case noKey != "":
		return need, noKey
	case c.Encrypted && r.EncryptTo == nil:
		return NeedEncryptTo, "it needs the service provider's encryption key"
	case c.OtherIdP && (r.OtherIdP == nil || r.otherRefused != ""):
		return r.missingOther()
	}
	return "", ""
}

// tryLogout sends the twin in one session, which must end, and the message in another.
func (r *runner) tryLogout(ctx context.Context, c attack.LogoutCase) RunResult {
	if out := r.logoutTwin(ctx, c); out.Verdict != Accepted {
		return out
	}
	s := &script{runner: r, ctx: ctx}
	in := s.signIn(s.begin(), nil)
	p, err := s.sendLogout(in.b, in, c, c.Make)
	if s.err != nil {
		return s.inconclusive()
	}
	out := s.afterLogout(in.b, c.Outcome.Ends(), p, err)
	if harmless := harmlessLogout(c.ID); harmless != "" && out.Verdict == LetIn && out.Identity == "" {
		out.Verdict, out.Reason = Tolerated, harmless
	}
	return out
}

// harmlessLogout says why a hostile message may end the session, or "". In these the identity provider's signature
// covers the user's name.
func harmlessLogout(id string) string {
	covers := func(words string) bool {
		return slices.ContainsFunc(strings.Fields(words), func(w string) bool { return chooses(w, id) })
	}
	switch {
	case covers("G06/request-signed G06/empty-response G08/other-case G08/blank"):
		return "the signed parameter is used, and the other one is ignored"
	case covers("G10"):
		return "the signature in the XML is verified, though HTTP-Redirect must not have one"
	case covers("G18/two G18/base-id-too G18/encrypted-too G19 G22/assertion-inside G26 J10"):
		return "only the identity provider can make such a message, and it names the user"
	}
	return ""
}

// logoutTwin reports whether the same message without the attack ends a session, once for all cases whose twins are
// equal. There is no LogoutRequest that a LogoutResponse can answer, so its control is a LogoutRequest.
func (r *runner) logoutTwin(ctx context.Context, c attack.LogoutCase) RunResult {
	if c.Answer {
		c = attack.LogoutCase{ID: c.ID, Binding: c.Binding}
	}
	id := fmt.Sprint("logout|", c.Binding, c.Key, c.Encrypted)
	if !c.PlainTwin() {
		id += "|" + c.ID
	}
	r.mu.Lock()
	t := r.twins[id]
	if t == nil {
		t = new(twin)
		r.twins[id] = t
	}
	r.mu.Unlock()
	t.once.Do(func() { t.result = r.measure(r.way, func() RunResult { return r.runLogoutTwin(ctx, c) }) })
	return t.result
}

func (r *runner) runLogoutTwin(ctx context.Context, c attack.LogoutCase) RunResult {
	s := &script{runner: r, ctx: ctx}
	in := s.signIn(s.begin(), nil)
	p, err := s.sendLogout(in.b, in, c, c.Twin)
	if s.err != nil {
		return s.inconclusive()
	}
	out := s.afterLogout(in.b, true, p, err)
	if out.Verdict == Stricter {
		out.Verdict, out.twinRefused = Inconclusive, true
		out.Reason = fmt.Sprintf("a good LogoutRequest by %s does not end the session: status %d, %s",
			c.Binding, out.Status, out.Says)
	}
	return out
}

// sendLogout sends a logout message about the session of in with a browser. By SOAP it comes from the identity
// provider's server.
func (s *script) sendLogout(
	b *browser, in *signIn, c attack.LogoutCase, document func(attack.LogoutParams) (attack.LogoutMessage, error),
) (page, error) {
	if s.err != nil {
		return page{}, s.err
	}
	index, err := sessionIndex(in.xml)
	if err != nil {
		s.fail(err)
		return page{}, err
	}
	p := attack.LogoutParams{Params: s.params(in.visit, attack.Case{}, s.way), SessionIndex: index}
	key, _, _ := s.IdP.key(c.Key)
	p.Key, p.Certificate, p.AttackerKey = key, s.IdP.Certificates[key], s.attackerFor(attack.Case{}, key)
	p.Recipient, p.EncryptTo = s.Logout[c.Binding], s.EncryptTo
	p.InResponseTo = cmp.Or(p.RequestID, "_logout1") // a LogoutRequest that was never sent
	if p.InResponseTo == p.RequestID {
		p.InResponseTo = "_logout" + p.RequestID[1:]
	}
	m, err := document(p)
	if err != nil {
		s.fail(err)
		return page{}, err
	}
	return s.sendMessage(b, m, m.RelayState)
}

// sendMessage sends a logout message as its binding says.
func (s *script) sendMessage(b *browser, m attack.LogoutMessage, relayState string) (page, error) {
	to := s.Logout[m.Binding]
	switch m.Binding {
	case attack.ByRedirect:
		return s.send(b, request{method: http.MethodGet, to: withQuery(to, m.Text)})
	case attack.BySOAP:
		return s.send(s.newBrowser(), request{
			method: http.MethodPost, to: to, contentType: "text/xml; charset=utf-8", body: m.Text,
			header: map[string]string{"SOAPAction": `"http://www.oasis-open.org/committees/security"`},
		})
	}
	form := url.Values{m.Param: {m.Text}}
	if relayState != "" {
		form.Set("RelayState", relayState)
	}
	return s.send(b, posting(to, form))
}

// afterLogout returns the result of a logout message, by the session that a browser has after it.
func (s *script) afterLogout(b *browser, ends bool, p page, sending error) RunResult {
	user, _, err := s.probe(s.ctx, b)
	out := RunResult{Identity: user, Verdict: Refused, Status: p.status}
	if sending == nil {
		out.Says = excerpt(p.body)
	}
	switch {
	case err != nil:
		out.Verdict, out.Reason = Failed, reason(err)
	case leads(p) != "":
		out.Verdict, out.Reason = LetIn, leads(p)
	case ends && user == "":
		out.Verdict = Accepted
	case ends:
		out.Verdict = Stricter
	case user == "":
		out.Verdict, out.Reason = LetIn, "it ends the user's session"
	default:
		s.markServerError(&out, p, sending)
	}
	return out
}

// leads says how an answer leads to an attacker's page, or "".
func leads(p page) string {
	location := p.header.Get("Location")
	switch action, _ := formWith(p.body, "SAMLResponse"); {
	case p.header.Get("X-Attacker") != "":
		return "it sets a header"
	case p.leaving != nil && (strings.HasSuffix(p.leaving.Hostname(), attackersHost) || !isHTTP(p.leaving)):
		return fmt.Sprintf("it leads to %q", location)
	case ambiguous(location):
		// Browsers read these as another host; net/url does not.
		return fmt.Sprintf("it leads to %q, which browsers read as another host", location)
	case strings.Contains(action, attackersHost):
		return fmt.Sprintf("it posts the answer to %q", action)
	}
	return ""
}

// sessionIndex returns the SessionIndex of a response that the tool made.
func sessionIndex(response []byte) (string, error) {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(response); err != nil {
		return "", err
	}
	if el := doc.FindElement("//AuthnStatement"); el != nil {
		return el.SelectAttrValue("SessionIndex", ""), nil
	}
	return "", errors.New("the assertion is encrypted, so its SessionIndex is not known")
}
