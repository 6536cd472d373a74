package run

import (
	"cmp"
	"context"
	"crypto"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// runner is a run of the tool.
type runner struct {
	Target
	sites     map[string]bool // the service provider's hosts, with ports
	transport *http.Transport
	attackers keys
	cases     []attack.Case
	unsigned  attack.Case // B01: with Forged as its Subject it is an unsigned forgery

	// sample is a request of the service provider; nil if it makes none.
	sample *authnRequest
	// otherRefused is why no user can sign in at OtherIdP; "" if one can.
	otherRefused string
	// unsignedRefused: metadata that no publisher signed has no effect.
	unsignedRefused bool
	// unsolicited: good unsolicited responses are accepted.
	unsolicited bool
	// marked: the probe always mentions administrators, so it can't show a
	// forged role.
	marked bool
	// way is how scripted attacks sign: the first that is accepted.
	way way
	// cipher is the encryption that is accepted; "" for AES-256-GCM.
	cipher string
	// refusal is the status of an ordinary refusal, if it is 500 or above.
	refusal int

	// signAround: only a signed ArtifactResponse is accepted.
	signAround bool
	// artifactRefusal is the status of an ordinary refusal of an artifact, if it is 500 or above.
	artifactRefusal int

	// sent counts the requests that did more than begin a sign-in.
	sent  atomic.Int64
	watch watch

	mu    sync.Mutex
	twins map[string]*twin // guarded by mu; each has its own lock
	notes []string         // guarded by mu
}

// way is how a message is made.
type way struct {
	key       attack.KeyKind
	sign      attack.Sign
	encrypted bool
	cipher    string // "" for the run's
}

// found is false while the run has not found a way that is accepted.
func (w way) found() bool { return w.sign >= 0 }

func (w way) String() string {
	kind := w.key
	if kind == attack.AnyKey {
		kind = attack.RSA
	}
	s := kind.String() + ", " + w.sign.String() + " signed"
	if w.encrypted {
		s += ", encrypted"
		if _, name, ok := strings.Cut(w.cipher, "#"); ok {
			s += " by " + name
		}
	}
	return s
}

// good is the case without an attack.
var good = attack.Case{ID: "good"}

func (r *runner) run(ctx context.Context) *Report {
	defer r.transport.CloseIdleConnections()
	out := &Report{ServiceProvider: r.EntityID, ACS: r.ACS, Started: r.Now()}
	clock := time.Now()
	for _, idp := range []*IdP{r.IdP, r.OtherIdP} {
		if idp == nil {
			continue
		}
		if err := idp.complete(out.Started); err != nil {
			out.Notes = append(out.Notes, err.Error())
		}
	}
	why := r.detect(ctx, out)
	var work []func() Result
	for _, c := range r.cases {
		if r.chosen(c.ID) {
			work = append(work, func() Result { return r.runCase(ctx, c, why) })
		}
	}
	for _, f := range flows() {
		if r.chosen(f.id) && !f.alone() {
			work = append(work, func() Result { return r.runFlow(ctx, f, why) })
		}
	}
	out.Results = r.each(work)
	out.Results = append(out.Results, r.eachAlone(ctx, why)...)
	r.finishWatch(ctx, out)
	slices.SortStableFunc(out.Results, func(a, b Result) int { return compareIDs(a.ID, b.ID) })
	for i := range out.Results {
		out.Results[i].label() // again: the end of the run may have changed a verdict
	}
	out.Notes = append(out.Notes, r.notes...)
	out.Duration = time.Since(clock)
	return out
}

// each runs the functions with the Target's Concurrency.
func (r *runner) each(work []func() Result) []Result {
	out := make([]Result, len(work))
	next := make(chan int)
	var wg sync.WaitGroup
	for range max(1, r.Concurrency) {
		wg.Go(func() {
			for i := range next {
				out[i] = work[i]()
				out[i].label()
				r.mu.Lock()
				r.Progress(out[i])
				r.mu.Unlock()
			}
		})
	}
	for i := range work {
		next <- i
	}
	close(next)
	wg.Wait()
	return out
}

// eachAlone runs the attacks one after the other that have an effect on others, after these: by logout messages, which
// end all sessions of a user, by the answers of the back channel, which answers all calls in one way, and by metadata,
// which replaces the identity provider's key.
func (r *runner) eachAlone(ctx context.Context, why string) []Result {
	var work []func() Result
	for _, c := range attack.LogoutCases() {
		if r.chosen(c.ID) {
			work = append(work, func() Result { return r.runLogout(ctx, c, why) })
		}
	}
	for _, c := range attack.ArtifactCases() {
		if r.chosen(c.ID) {
			work = append(work, func() Result { return r.runArtifact(ctx, c, why) })
		}
	}
	for _, c := range attack.AttributeCases() {
		if r.chosen(c.ID) {
			work = append(work, func() Result { return r.runAttributes(ctx, c, why) })
		}
	}
	for _, f := range flows() {
		if r.chosen(f.id) && f.alone() {
			work = append(work, func() Result { return r.runFlow(ctx, f, why) })
		}
	}
	for _, c := range attack.MetadataCases() {
		if r.chosen(c.ID) {
			work = append(work, func() Result { return r.runMetadata(ctx, c, why) })
		}
	}
	concurrency := r.Concurrency
	r.Concurrency = 1
	out := r.each(work)
	r.Concurrency = concurrency
	r.restoreMetadata()
	return out
}

// visit is one browser's sign-in.
type visit struct {
	r       *runner
	b       *browser
	request *authnRequest // nil: the service provider made no request
}

// newVisit returns a visit of a new browser without a request.
func (r *runner) newVisit() *visit { return &visit{r: r, b: r.newBrowser()} }

// begin begins a sign-in in a new browser, in which no user must be signed in.
func (r *runner) begin(ctx context.Context) (*visit, error) { return r.beginAt(ctx, r.Login, r.IdP) }

// beginAt is like begin, at another address and identity provider.
func (r *runner) beginAt(ctx context.Context, login string, idp *IdP) (*visit, error) {
	v := r.newVisit()
	user, _, err := r.probe(ctx, v.b)
	if err != nil {
		return nil, err
	}
	if user != "" {
		return nil, fmt.Errorf("the probe shows %q to a browser that has not signed in", user)
	}
	if r.IdPInitiated {
		return v, nil
	}
	p, err := v.b.get(ctx, login)
	if err != nil {
		return nil, fmt.Errorf("the sign-in page can't be read: %w", err)
	}
	if v.request, err = r.requestTo(idp, p); err != nil {
		return nil, fmt.Errorf("no sign-in begins: %w", err)
	}
	return v, nil
}

// params returns the parameters of a document for a visit.
func (r *runner) params(v *visit, c attack.Case, w way) attack.Params {
	key, _, _ := r.IdP.key(w.key)
	p := attack.Params{
		Issuer: r.IdP.EntityID, Audience: r.EntityID, Recipient: r.ACS, OtherACS: r.OtherACS,
		Subject: r.Subject, Forged: r.Forged, NameIDFormat: r.NameIDFormat,
		Attributes: r.Attributes, IdentityAttribute: r.IdentityAttribute,
		Now: r.Now(), Key: key, Certificate: r.IdP.Certificates[key], AttackerKey: r.attackerFor(c, key), Sign: w.sign,
	}
	if v.request != nil {
		p.RequestID = v.request.id
	}
	if r.OtherIdP != nil {
		p.OtherIdP, p.OtherKey = r.OtherIdP.EntityID, r.OtherIdP.RSA
	}
	if w.encrypted {
		p.EncryptTo, p.Cipher = r.EncryptTo, cmp.Or(w.cipher, r.cipher)
	}
	return p
}

// attackerFor returns a key that no service provider trusts for signing, of the
// same kind as the identity provider's.
func (r *runner) attackerFor(c attack.Case, key crypto.Signer) crypto.Signer {
	switch {
	case c.Needs.SP.EncryptionKeyListed:
		return r.IdP.Encryption
	case key == crypto.Signer(r.IdP.ECDSA):
		return r.attackers.ecdsa
	}
	return r.attackers.rsa
}

// form is the form on the identity provider's page (Bindings 3.5.4).
func (v *visit) form(response []byte) url.Values {
	f := url.Values{"SAMLResponse": {string(response)}}
	switch {
	case v.request != nil && v.request.hasRelayState:
		f.Set("RelayState", v.request.relayState)
	case v.request == nil && v.r.RelayState != "":
		f.Set("RelayState", v.r.RelayState)
	}
	return f
}

// post posts a response to the assertion consumer service.
func (v *visit) post(ctx context.Context, response []byte) (page, error) {
	return v.b.send(ctx, posting(v.r.ACS, v.form(response)))
}

// probe returns the user who is signed in with a browser; "" for none.
func (r *runner) probe(ctx context.Context, b *browser) (string, page, error) {
	p, err := b.get(ctx, r.Probe)
	if err != nil {
		return "", p, fmt.Errorf("the probe can't be read: %w", err)
	}
	if p.leaving != nil {
		return "", p, nil
	}
	return r.userIn(p), p, nil
}

// userIn returns the user that a page shows, or "".
func (r *runner) userIn(p page) string {
	m := r.Identity.FindStringSubmatch(p.body)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[min(1, len(m)-1)])
}

// reason returns an error's text on one line, for a table.
func reason(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
