package acs

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
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

// Verdict is what was decided on one response, for the operator: for the log,
// for metrics, for a page of recent sign-ins. It holds neither the message nor
// any secret. Text that came from outside is cut short, and escaped so that it
// has one line.
type Verdict struct {
	Time time.Time
	// Reference is what the person sees on the error page.
	Reference string
	// Region and ACS say where the response came to.
	Region, ACS string
	// Flow is FlowSP or FlowIdP; empty where it isn't known.
	Flow     string
	Accepted bool
	// Reason says why not: a [Reason] or a [saml.Reason]. Empty if accepted.
	Reason string
	// Rule, Detail, Want and Got say which rule did not hold, and how.
	Rule, Detail, Want, Got string
	// Issued is the IssueInstant of an assertion whose signature verified, whether
	// or not it was let in: the identity provider's clock, to be compared with
	// Time. Zero: no signature did.
	Issued time.Time
	// NameID and AssertionID are those of an assertion whose signature verified,
	// as Issued is. RequestID is the request that it answers, if every rule held.
	NameID, AssertionID, RequestID string
}

func (c *Consumer) newVerdict() Verdict {
	return Verdict{Time: c.cfg.SP.Now(), Reference: c.reference(), Region: c.here.Region, ACS: c.here.URL}
}

func (v *Verdict) proved(a *saml.Assertion) {
	v.NameID, v.AssertionID, v.RequestID = storeerr.Printable(a.NameID().Value), a.ID(), storeerr.Printable(a.InResponseTo())
	v.Issued = a.IssueInstant()
	v.Flow = FlowIdP
	if a.InResponseTo() != "" {
		v.Flow = FlowSP
	}
}

// because fills in why it was refused.
func (v *Verdict) because(err error) {
	var ours *Error
	var theirs *saml.Error
	cause := func(detail string, err error) string {
		if err == nil {
			return storeerr.Printable(detail)
		}
		return storeerr.Printable(detail + ": " + err.Error())
	}
	switch {
	case errors.As(err, &ours):
		v.Reason, v.Rule, v.Want, v.Got = string(ours.Reason), ours.Rule, storeerr.Printable(ours.Want), storeerr.Printable(ours.Got)
		v.Detail = cause(ours.Detail, ours.Err)
	case errors.As(err, &theirs):
		v.Reason, v.Rule, v.Want, v.Got = string(theirs.Reason), theirs.Rule, storeerr.Printable(theirs.Want), storeerr.Printable(theirs.Got)
		v.Detail = cause(theirs.Detail, theirs.Err)
		if v.AssertionID == "" { // else it was proved, and does not answer its request
			v.Issued, v.NameID, v.AssertionID = theirs.Issued, storeerr.Printable(theirs.NameID), storeerr.Printable(theirs.AssertionID)
		}
		switch theirs.Reason {
		case saml.ReasonInResponseTo, saml.ReasonWrongRegion:
			v.Flow = FlowSP // only what claims to be an answer gets these
		case saml.ReasonUnsolicited:
			v.Flow = FlowIdP
		}
	}
}

// restarted says that the assertion was dropped for a sign-in of our own.
func (v *Verdict) restarted() {
	v.Reason, v.Rule, v.Detail = string(ReasonRestarted), "Config.Unsolicited", "dropped, and a sign-in of our own started"
}

func reasonOf(err error) string {
	var v Verdict
	v.because(err)
	return v.Reason
}

// tell hands a verdict to whoever wants to know.
func (c *Consumer) tell(ctx context.Context, v Verdict) {
	c.log(ctx, "saml sign-in", v)
	if c.cfg.OnVerdict != nil {
		c.cfg.OnVerdict(ctx, v)
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
	attrs := []slog.Attr{slog.String("verdict", verdict)}
	for _, a := range [...]struct{ key, value string }{
		{"reference", v.Reference}, {"region", v.Region}, {"acs", v.ACS}, {"flow", v.Flow},
		{"reason", v.Reason}, {"rule", v.Rule}, {"detail", v.Detail}, {"want", v.Want}, {"got", v.Got},
		{"name_id", v.NameID}, {"assertion_id", v.AssertionID}, {"request_id", v.RequestID},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.key, a.value))
		}
	}
	c.cfg.Logger.LogAttrs(ctx, level, message, attrs...)
}

// refuse tells the operator why, and the person that it didn't work.
func (c *Consumer) refuse(w http.ResponseWriter, r *http.Request, v Verdict, status int) {
	c.tell(r.Context(), v)
	text := messageFor(status)
	switch {
	case v.Reason == string(ReasonCancelled):
		text = textCancelled
	case status == http.StatusForbidden && c.cfg.RefusedPath != "":
		// This POST came from another site, so without the session's cookie.
		text = textRefusedHere
		w.Header().Set("Refresh", "0; url="+c.cfg.RefusedPath+"?"+referenceParameter+"="+v.Reference)
	case status == http.StatusServiceUnavailable:
		retryAfter(w, retrySoon)
	}
	c.page(w, status, text, v.Reference)
}

// statusOf is the answer's status. All that is wrong with an assertion has the
// same, and the same page: a stranger who tries messages learns nothing from
// how they fail.
func statusOf(err error) int {
	switch reason := reasonOf(err); reason {
	case string(ReasonMethod):
		return http.StatusMethodNotAllowed
	case string(ReasonContentType):
		return http.StatusUnsupportedMediaType
	case string(ReasonTooLarge):
		return http.StatusRequestEntityTooLarge
	case string(ReasonForm):
		return http.StatusBadRequest
	case string(ReasonHost):
		return http.StatusMisdirectedRequest
	case string(ReasonStore), string(ReasonBusy), string(saml.ReasonMetadata): // trouble on our side
		return http.StatusServiceUnavailable
	case string(saml.ReasonConfig): // this URL has left the service provider's list
		return http.StatusGone
	}
	return http.StatusForbidden
}

// referenceAlphabet has no letters that are taken for others when read aloud.
const referenceAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// reference names one sign-in on the page and in the log, as in MRD-7F3K-29QX.
func (c *Consumer) reference() string {
	var b [8]byte
	if _, err := io.ReadFull(c.cfg.Rand, b[:]); err != nil {
		return "MRD-NONE" // a refusal must not fail for want of a name
	}
	for i := range b {
		b[i] = referenceAlphabet[b[i]%32]
	}
	return "MRD-" + string(b[:4]) + "-" + string(b[4:])
}

// referenceParameter carries a reference to RefusedPath.
const referenceParameter = "reference"

// isReference says whether s is of the form that reference makes.
func isReference(s string) bool {
	groups := strings.Split(s, "-")
	if len(groups) != 3 || groups[0] != "MRD" {
		return false
	}
	return !slices.ContainsFunc(groups[1:], func(g string) bool {
		return len(g) != 4 || strings.Trim(g, referenceAlphabet) != ""
	})
}
