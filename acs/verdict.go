package acs

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
	"github.com/meridian-saml/meridian/saml"
)

// The values of Verdict.Flow.
const (
	FlowSP  = "sp-initiated"
	FlowIdP = "idp-initiated"
)

// The values of what in Config.OnRefused.
const (
	RefusedLogin  = "sign-in"
	RefusedLogout = "logout"
)

// Verdict is the decision on one response, for the operator's logs, metrics and pages. It contains neither the
// message nor any secret. Untrusted values are cut short and escaped, so each is one line.
type Verdict struct {
	Time time.Time
	// Reference is shown to the user on the error page.
	Reference string
	// Region and ACS are those of the URL that received the response.
	Region, ACS string
	// Flow is FlowSP or FlowIdP; empty if unknown.
	Flow     string
	Accepted bool
	// Reason is a [Reason] or a [saml.Reason]; empty if accepted.
	Reason string
	// Rule, Detail, Want and Got describe the broken rule.
	Rule, Detail, Want, Got string
	// Issued is the IssueInstant of an assertion whose signature verified, accepted or not. Its difference to Time
	// shows how far the clocks differ. Zero: no signature verified.
	Issued time.Time
	// IdP is the entity ID of the identity provider whose signature verified; empty if none did.
	IdP string
	// NameID and AssertionID are those of an assertion whose signature verified, accepted or not. RequestID is the
	// ID of the answered request, if every rule holds.
	NameID, AssertionID, RequestID string
	// Warnings are those of the verified assertion, such as encryption with AES-CBC; empty if there are none.
	Warnings string
}

func (c *Consumer) newVerdict() Verdict {
	return Verdict{Time: c.cfg.SP.Now(), Reference: c.reference(), Region: c.here.Region, ACS: c.here.URL}
}

func (v *Verdict) setAssertion(a *saml.Assertion) {
	v.NameID, v.AssertionID, v.Issued = storeerr.Printable(a.NameID().Value), a.ID(), a.IssueInstant()
	v.IdP, v.Warnings = storeerr.Printable(a.Issuer()), storeerr.Printable(strings.Join(a.Warnings(), "; "))
	v.RequestID = storeerr.Printable(a.InResponseTo())
	v.Flow = FlowIdP
	if a.InResponseTo() != "" {
		v.Flow = FlowSP
	}
}

// setError fills in why the response was refused.
func (v *Verdict) setError(err error) {
	var e *Error
	var verify *saml.Error
	switch {
	case errors.As(err, &e):
	case errors.As(err, &verify):
		e = newError(Reason(verify.Reason), verify.Rule, verify.Detail).compared(verify.Want, verify.Got)
		e.Err = verify.Err
		if v.AssertionID == "" { // otherwise CheckRequest refused a verified assertion
			v.Issued, v.NameID = verify.Issued, storeerr.Printable(verify.NameID)
			v.AssertionID, v.IdP = storeerr.Printable(verify.AssertionID), storeerr.Printable(verify.IdP)
		}
		switch verify.Reason {
		case saml.ReasonInResponseTo, saml.ReasonWrongRegion:
			v.Flow = FlowSP // only responses with InResponseTo have these Reasons
		case saml.ReasonUnsolicited:
			v.Flow = FlowIdP
		}
	default:
		return
	}
	detail := e.Detail
	if e.Err != nil {
		detail += ": " + e.Err.Error()
	}
	v.Reason, v.Rule = string(e.Reason), e.Rule
	v.Detail, v.Want, v.Got = storeerr.Printable(detail), storeerr.Printable(e.Want), storeerr.Printable(e.Got)
}

// report logs a verdict and passes it to OnVerdict, and to end, which is the Observer's.
func (c *Consumer) report(ctx context.Context, v Verdict, end func(Verdict)) {
	c.log(ctx, "saml sign-in", v)
	if c.cfg.OnVerdict != nil {
		c.cfg.OnVerdict(ctx, v)
	}
	end(v)
}

// tellRefused passes to OnRefused what was refused without a verdict on a response.
func (c *Consumer) tellRefused(ctx context.Context, what string, v Verdict) {
	if c.cfg.OnRefused != nil {
		c.cfg.OnRefused(ctx, what, v)
	}
}

func (c *Consumer) log(ctx context.Context, message string, v Verdict) {
	verdict, level := "refused", slog.LevelWarn
	switch {
	case v.Accepted:
		verdict, level = "accepted", slog.LevelInfo
	case v.Reason == string(ReasonRestarted):
		verdict, level = "restarted", slog.LevelInfo
	case v.Reason == string(ReasonCancelled):
		verdict, level = "cancelled", slog.LevelInfo
	}
	var attrs []slog.Attr
	for _, a := range [...][2]string{
		{"verdict", verdict}, {"reference", v.Reference}, {"region", v.Region}, {"acs", v.ACS}, {"flow", v.Flow},
		{"reason", v.Reason}, {"rule", v.Rule}, {"detail", v.Detail}, {"want", v.Want}, {"got", v.Got},
		{"idp", v.IdP}, {"name_id", v.NameID}, {"assertion_id", v.AssertionID}, {"request_id", v.RequestID},
		{"warnings", v.Warnings},
	} {
		if a[1] != "" {
			attrs = append(attrs, slog.String(a[0], a[1]))
		}
	}
	c.cfg.Logger.LogAttrs(ctx, level, message, attrs...)
}

// refuse reports a refused response, and answers it.
func (c *Consumer) refuse(w http.ResponseWriter, r *http.Request, v Verdict, end func(Verdict)) {
	c.report(r.Context(), v, end)
	a, ok := answers[v.Reason]
	switch {
	case ok:
	case v.Reason == string(saml.ReasonConfig): // this URL was removed from the service provider's list
		a = answer{status: http.StatusGone, text: textNoResponse}
	case c.cfg.RefusedPath != "": // this cross-site POST has no session cookie
		a = answer{status: http.StatusForbidden, text: textRefusedHere}
		w.Header().Set("Refresh", "0; url="+c.cfg.RefusedPath+"?"+referenceParameter+"="+v.Reference)
	default:
		a = answer{status: http.StatusForbidden, text: textRefused}
	}
	c.page(w, r, a, v.Reference)
}

// referenceAlphabet has no characters that are easily confused.
const referenceAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

var referenceFormat = regexp.MustCompile(`^MRD(-[` + referenceAlphabet + `]{4}){2}$`)

// reference returns a random name for one sign-in, such as MRD-7F3K-29QX. The page and the log show it.
func (c *Consumer) reference() string {
	var b [8]byte
	if _, err := io.ReadFull(c.cfg.Rand, b[:]); err != nil {
		return "MRD-NONE" // a refusal must not fail for lack of random bytes
	}
	for i := range b {
		b[i] = referenceAlphabet[b[i]%32]
	}
	return "MRD-" + string(b[:4]) + "-" + string(b[4:])
}

// referenceParameter is the query parameter of RefusedPath with the reference.
const referenceParameter = "reference"
