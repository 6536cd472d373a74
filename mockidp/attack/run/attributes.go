package run

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// Attacks by answers to attribute queries. A page of the service provider has it ask, and shows the values.

func attributeEntry(c attack.AttributeCase) Entry {
	return newEntry(c.ID, c.Name, "refused", c.Reference)
}

func (r *runner) runAttributes(ctx context.Context, c attack.AttributeCase, why string) Result {
	var need Need
	missing := ""
	switch {
	case r.AttributeProbe == "":
		need, missing = NeedAttributes, "it needs a page for which the service provider asks for the user's attributes"
	case r.BackChannel == nil:
		need, missing = NeedBackChannel, "it needs a service provider that asks this tool for attributes"
	}
	return r.runOne(ctx, attributeEntry(c), need, missing, why, func() RunResult { return r.tryAttributes(ctx, c) })
}

func (r *runner) tryAttributes(ctx context.Context, c attack.AttributeCase) RunResult {
	twin := r.asked(ctx, c.Twin)
	if twin.Verdict != LetIn {
		if twin.Verdict == Refused {
			twin.Verdict, twin.twinRefused = Inconclusive, true
			twin.Reason = "the page does not show the attributes of a good answer: " + twin.Reason
		}
		return twin
	}
	return r.asked(ctx, c.Make)
}

// asked signs a user in and opens the page. It is LetIn if the page shows the attribute of the answer, whose value is
// random.
func (r *runner) asked(ctx context.Context, document func(attack.AttributeParams) ([]byte, error)) RunResult {
	s := &script{runner: r, ctx: ctx}
	mark := rand.Text()
	p := attack.AttributeParams{QueryID: "_unsent"}
	in := s.begin()
	p.Params = s.params(in, attack.Case{}, s.way)
	p.Attributes = []attack.Attribute{{Name: "team", Values: []string{mark}}}
	if _, err := document(p); err != nil {
		s.fail(err)
	}
	calls := s.BackChannel.expect(sending(func(c call) ([]byte, error) {
		p := p
		p.QueryID = c.id
		if c.nameID != "" {
			p.Subject = c.nameID
		}
		return document(p)
	}))
	defer s.BackChannel.refuse()
	s.signIn(in, nil)
	if s.err != nil {
		return s.inconclusive()
	}
	got, err := in.b.get(ctx, s.AttributeProbe)
	if err != nil {
		return noAnswer(err)
	}
	out := RunResult{Verdict: Refused, Status: got.status, Says: excerpt(got.body)}
	switch {
	case strings.Contains(got.body, mark):
		out.Verdict, out.Reason, out.Identity = LetIn, "the page shows the attribute of the answer", s.Subject
	case calls() == 0:
		out.Reason = "the service provider did not ask"
	default:
		out.Reason = fmt.Sprintf("status %d, %s", out.Status, out.Says)
		s.markServerError(&out, got, nil)
	}
	return out
}

// postedAttributes posts the answer to an attribute query as a response.
func postedAttributes(s *script) RunResult {
	v := s.begin()
	if s.err != nil {
		return s.inconclusive()
	}
	response, err := attack.PostedAttributes(s.params(v, attack.Case{}, s.way))
	if err != nil {
		s.fail(err)
	}
	return s.posted(v.b, s.ACS, v.form(response), "")
}
