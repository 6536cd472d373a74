package run

import (
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
	sites     map[string]bool // the hosts, with ports, that belong to the service provider
	transport *http.Transport
	attackers keys
	cases     []attack.Case
	unsigned  attack.Case // B01: with Forged as its Subject nothing vouches for it

	// sample is a request that the service provider made; nil if it makes none.
	sample *asked
	// unsolicited says that it accepts good unsolicited responses.
	unsolicited bool
	// marked says that the probe speaks of administrators anyway, so that a
	// forged role can't be told from it.
	marked bool
	// way is how scripted attacks sign: the first that is accepted.
	way way
	// cipher is the encryption that is good; "" for AES-256-GCM.
	cipher string
	// refusal is the status of a refusal in order, if it is 500 or above.
	refusal int

	// sent counts the requests that were more than the beginning of a sign-in.
	sent  atomic.Int64
	watch watch

	mu    sync.Mutex
	twins map[string]*twin // guarded by mu; each has a lock of its own
	notes []string         // guarded by mu
}

// way is how a message is made.
type way struct {
	key       attack.KeyKind
	sign      attack.Sign
	encrypted bool
	cipher    string // "" for the run's
}

// found is false for the way of a run that has none.
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

// good is the case that is no attack.
var good = attack.Case{ID: "good"}

func (r *runner) run(ctx context.Context) *Report {
	defer r.transport.CloseIdleConnections()
	began := r.Now()
	out := &Report{ServiceProvider: r.EntityID, ACS: r.ACS, Started: began}
	clock := time.Now()
	if err := r.IdP.complete(began); err != nil {
		out.Notes = append(out.Notes, err.Error())
	}
	why := r.look(ctx, out)
	var work []func() Result
	for _, c := range r.cases {
		if r.chosen(c.ID) {
			work = append(work, func() Result { return r.runCase(ctx, c, why) })
		}
	}
	for _, f := range flows() {
		if r.chosen(f.id) {
			work = append(work, func() Result { return r.runFlow(ctx, f, why) })
		}
	}
	out.Results = r.each(work)
	r.lookBack(ctx, out)
	slices.SortStableFunc(out.Results, func(a, b Result) int { return compareIDs(a.ID, b.ID) })
	out.Notes = append(out.Notes, r.notes...)
	out.Duration = time.Since(clock)
	return out
}

// each does the work with as many at once as the Target says.
func (r *runner) each(work []func() Result) []Result {
	out := make([]Result, len(work))
	next := make(chan int)
	var wg sync.WaitGroup
	for range max(1, r.Concurrency) {
		wg.Go(func() {
			for i := range next {
				out[i] = work[i]()
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

// visit is one browser's way through a sign-in.
type visit struct {
	r     *runner
	b     *browser
	asked *asked // nil: nothing was asked
}

// begin brings a new browser to the identity provider. No user must be signed in
// with it.
func (r *runner) begin(ctx context.Context) (*visit, error) {
	v := &visit{r: r, b: r.newBrowser()}
	who, _, err := r.probe(ctx, v.b)
	if err != nil {
		return nil, fmt.Errorf("the probe can't be read: %w", err)
	}
	if who != "" {
		return nil, fmt.Errorf("the probe shows %q to a browser that has not signed in", who)
	}
	return v, v.ask(ctx)
}

// ask begins a sign-in in the visit's browser.
func (v *visit) ask(ctx context.Context) error {
	if v.r.IdPInitiated {
		return nil
	}
	p, err := v.b.get(ctx, v.r.Login)
	if err != nil {
		return fmt.Errorf("the sign-in page can't be read: %w", err)
	}
	v.asked, err = v.r.askedBy(p)
	if err != nil {
		return fmt.Errorf("no sign-in begins: %w", err)
	}
	return nil
}

// params fills in a document for a visit.
func (r *runner) params(v *visit, c attack.Case, w way) attack.Params {
	key, _ := r.IdP.key(w.key)
	p := attack.Params{
		Issuer: r.IdP.EntityID, Audience: r.EntityID, Recipient: r.ACS, OtherACS: r.OtherACS,
		Subject: r.Subject, Forged: r.Forged, NameIDFormat: r.NameIDFormat, Attributes: r.Attributes, IdentityAttribute: r.IdentityAttribute,
		Now: r.Now(), Key: key, Certificate: r.IdP.Certificates[key], AttackerKey: r.attackerFor(c, key), Sign: w.sign,
	}
	if v.asked != nil {
		p.RequestID = v.asked.id
	}
	if w.encrypted {
		p.EncryptTo, p.Cipher = r.EncryptTo, w.cipher
		if p.Cipher == "" {
			p.Cipher = r.cipher
		}
	}
	return p
}

// attackerFor is a key that no service provider trusts for signing, of the same kind as the
// identity provider's.
func (r *runner) attackerFor(c attack.Case, key crypto.Signer) crypto.Signer {
	switch {
	case c.Needs.SP.EncryptionKeyListed:
		return r.IdP.Encryption
	case key == crypto.Signer(r.IdP.ECDSA):
		return r.attackers.ecdsa
	}
	return r.attackers.rsa
}

// form is what the identity provider's page posts (Bindings 3.5.4).
func (v *visit) form(response []byte) url.Values {
	f := url.Values{"SAMLResponse": {string(response)}}
	switch {
	case v.asked != nil && v.asked.hasRelayState:
		f.Set("RelayState", v.asked.relayState)
	case v.asked == nil && v.r.RelayState != "":
		f.Set("RelayState", v.r.RelayState)
	}
	return f
}

const formType = "application/x-www-form-urlencoded"

// post brings a response to the assertion consumer service.
func (v *visit) post(ctx context.Context, response []byte) (page, error) {
	return v.postForm(ctx, v.form(response))
}

func (v *visit) postForm(ctx context.Context, form url.Values) (page, error) {
	return v.b.send(ctx, request{method: http.MethodPost, to: v.r.ACS, contentType: formType, body: form.Encode()})
}

// probe asks who is signed in with a browser; "" is no user.
func (r *runner) probe(ctx context.Context, b *browser) (string, page, error) {
	p, err := b.get(ctx, r.Probe)
	if err != nil || p.leaving != nil {
		return "", p, err
	}
	m := r.Identity.FindStringSubmatch(p.body)
	switch {
	case m == nil:
		return "", p, nil
	case len(m) > 1:
		return html.UnescapeString(m[1]), p, nil
	}
	return html.UnescapeString(m[0]), p, nil
}

// oneLine keeps an error's text fit for a table.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
