package run

import (
	"cmp"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"time"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// Attacks by metadata. Each document has another signing key than the last one. Whether a service provider
// took it shows when a user signs in by a response with that key.

func metadataEntry(c attack.MetadataCase) Entry {
	expected := "refused"
	if c.Outcome.Accepted() {
		expected = "accepted"
	}
	return newEntry(c.ID, c.Name, expected, c.Reference)
}

func (r *runner) runMetadata(ctx context.Context, c attack.MetadataCase, why string) Result {
	out := metadataEntry(c).result()
	out.Verdict = NotRun
	switch {
	case r.Metadata == nil:
		out.Reason, out.Needs = "it needs a service provider that reads metadata from a URL of this tool", NeedMetadata
	case len(c.Pinned) > 1 || len(c.Outcome.Keys) > 0:
		out.Reason, out.Needs = "it needs a service provider with other keys", NeedSettings
	case why != "":
		out.Verdict, out.Reason = Inconclusive, why
	case r.hasStopped():
		out.markNotRun()
	default:
		out.Runs = []RunResult{r.measure(r.way, func() RunResult { return r.tryMetadata(ctx, c) })}
		out.summarize()
		r.attributeStop(&out)
	}
	return out
}

// tryMetadata publishes the twin, which must be taken, and then the document.
func (r *runner) tryMetadata(ctx context.Context, c attack.MetadataCase) RunResult {
	unsupported := notRun("the same metadata without the attack has no effect within " + r.MetadataWait.String())
	unsupported.Needs = NeedSupport
	if len(c.Pinned) == 0 && r.unsignedRefused {
		return unsupported
	}
	taken, err := r.published(ctx, c.Twin, r.MetadataWait)
	switch {
	case err != nil:
		return inconclusive(reason(err))
	case !taken:
		r.unsignedRefused = r.unsignedRefused || len(c.Pinned) == 0
		return unsupported
	}
	wait := r.MetadataSettle
	if c.Outcome.Accepted() {
		wait = r.MetadataWait
	}
	taken, err = r.published(ctx, c.Make, wait)
	out := RunResult{Verdict: Refused}
	switch {
	case errors.Is(err, errElsewhere):
		out.Verdict, out.Reason = LetIn, reason(err)
	case err != nil:
		return inconclusive(reason(err))
	case taken && c.Outcome.Accepted():
		out.Verdict, out.Identity = Accepted, r.Subject
	case taken:
		out.Verdict, out.Identity = LetIn, r.Subject
		out.Reason = "its keys are used: a response that is signed with the one in it is accepted"
	case c.Outcome.Accepted():
		out.Verdict = Stricter
	}
	return out
}

// published publishes a document with another key, waits until the service provider has
// read it, and then tries to sign in with that key, for at most wait. It reports whether
// that worked, so whether the document was taken.
func (r *runner) published(
	ctx context.Context, document func(attack.MetadataParams) ([]byte, error), wait time.Duration,
) (bool, error) {
	key := r.Metadata.nextKey()
	made, err := document(r.Metadata.params(r, key))
	if err != nil {
		return false, err
	}
	select {
	case <-r.Metadata.publish(made):
	case <-time.After(r.MetadataWait):
		return false, fmt.Errorf("the service provider has not read its metadata again within %v", r.MetadataWait)
	case <-ctx.Done():
		return false, ctx.Err()
	}
	for until := time.Now().Add(wait); ; {
		in, err := r.signInWith(ctx, key)
		if in {
			r.Metadata.trust()
		}
		if in || errors.Is(err, errElsewhere) || time.Now().After(until) {
			return in, err
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(min(wait/10, time.Second)):
		}
	}
}

// signInWith reports whether a response that is signed with a key signs a user in. It
// returns an error only if the request goes to another address than the identity
// provider's.
func (r *runner) signInWith(ctx context.Context, key *rsa.PrivateKey) (bool, error) {
	v, err := r.begin(ctx)
	if errors.Is(err, errElsewhere) {
		return false, err
	}
	if err != nil {
		return false, nil
	}
	p := r.params(v, good, r.way)
	p.Key, p.Certificate = key, nil
	m, err := good.Make(p)
	if err != nil {
		return false, err
	}
	if _, err := v.post(ctx, m.SAMLResponse); err != nil {
		return false, nil
	}
	user, _, err := r.probe(ctx, v.b)
	return err == nil && user == r.Subject, nil
}

// restoreMetadata publishes the metadata from before.
func (r *runner) restoreMetadata() {
	if r.Metadata != nil {
		r.Metadata.publish(r.Metadata.first)
	}
}

// setMetadataTimes sets the defaults of a Target's durations for metadata.
func (t *Target) setMetadataTimes() {
	t.MetadataWait, t.MetadataSettle = cmp.Or(t.MetadataWait, 2*time.Minute), cmp.Or(t.MetadataSettle, 2*time.Second)
}
