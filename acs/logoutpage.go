package acs

import (
	"net/http"

	"github.com/meridian-saml/meridian/saml"
)

var (
	textLoggedOut = message{"You are signed out",
		"Your sessions here and at your identity provider have ended."}
	textPartly = message{"You are signed out here",
		"Your session here has ended. Sessions at other services may still be active: close all windows of your browser."}
	textNotAsked = message{"You are signed out here",
		"Your session here has ended. Your identity provider could not be told: sign out there too, or close all windows " +
			"of your browser."}
	textNoLogout = message{"This is not a sign-out message",
		"The message of your identity provider was not accepted. Nothing was changed by it."}
	textNoSignOut = message{"Sign-out is not available right now",
		"Your sessions may still be active. Please try again in a minute."}
	textCrossSite = message{"Sign-out can't start this way", "Use the button of this service to sign out."}
)

// logoutAnswers are the answers to refused logout messages. All other Reasons have the same answer.
var logoutAnswers = map[string]answer{
	string(ReasonMethod):        {http.StatusMethodNotAllowed, textNoLogout, 0},
	string(ReasonContentType):   {http.StatusUnsupportedMediaType, textNoLogout, 0},
	string(ReasonTooLarge):      {http.StatusRequestEntityTooLarge, textNoLogout, 0},
	string(ReasonForm):          {http.StatusBadRequest, textNoLogout, 0},
	string(ReasonStore):         {http.StatusServiceUnavailable, textNoSignOut, retrySoon},
	string(ReasonBusy):          {http.StatusServiceUnavailable, textNoSignOut, retrySoon},
	string(ReasonEndSessions):   {http.StatusServiceUnavailable, textNoSignOut, retrySoon},
	string(saml.ReasonMetadata): {http.StatusServiceUnavailable, textNoSignOut, retrySoon},

	string(saml.ReasonMetadataExpired): {http.StatusServiceUnavailable, textNoSignOut, retrySoon},
}

// answerTo returns the answer to a refused logout message.
func answerTo(v Verdict) answer {
	if a, ok := logoutAnswers[v.Reason]; ok {
		return a
	}
	return answer{status: http.StatusForbidden, text: textNoLogout}
}

// logoutRefused logs and answers a logout message that was refused. req is the message if it is a verified request.
func (c *Consumer) logoutRefused(
	w http.ResponseWriter, r *http.Request, req *saml.VerifiedLogoutRequest, err error,
) Verdict {
	v := c.logLogoutError(r, "saml logout", err)
	c.tellRefused(r.Context(), RefusedLogout, v)
	a := answerTo(v)
	if bySOAP(r) {
		c.refuseBySOAP(w, r, req, err, a, v.Reference)
	} else {
		c.page(w, r, a, v.Reference)
	}
	return v
}

// notAnswered says that sessions ended here, but the LogoutRequest that named them can't be answered.
func (c *Consumer) notAnswered(w http.ResponseWriter, r *http.Request, status saml.LogoutStatus, err error) {
	v := c.logLogoutError(r, "saml logout not answered", err)
	if bySOAP(r) {
		writeFault(w, answer{status: http.StatusInternalServerError}, v.Reference)
		return
	}
	text := textNotAsked
	if status == saml.LogoutFailed {
		text = textNoSignOut
	}
	c.signedOut(w, r, text, v.Reference)
}

func (c *Consumer) signedOut(w http.ResponseWriter, r *http.Request, text message, reference string) {
	p := c.newPage(answer{status: http.StatusOK, text: text}, reference)
	p.Kind = PageSignedOut
	c.render(w, r, p)
}

func (c *Consumer) logLogoutError(r *http.Request, message string, err error) Verdict {
	v := c.newVerdict()
	v.setError(err)
	c.log(r.Context(), message, v)
	return v
}

// SignedOut ends a sign-out of a user whose identity provider is not asked, because it has no single logout. The
// session here has ended. It calls Config.OnLoggedOut, or writes a page that says what ended.
func (g *Region) SignedOut(w http.ResponseWriter, r *http.Request, l *LoggedOut) {
	c := g.consumerFor(r)
	c.setHeaders(w.Header())
	c.loggedOut(w, r, l)
}

// loggedOut ends a logout that StartLogout began.
func (c *Consumer) loggedOut(w http.ResponseWriter, r *http.Request, result *LoggedOut) {
	if c.cfg.OnLoggedOut != nil {
		c.cfg.OnLoggedOut(w, r, result)
		return
	}
	text := textPartly
	switch {
	case result.Success:
		text = textLoggedOut
	case result.Err != nil:
		text = textNotAsked
	}
	c.signedOut(w, r, text, "")
}
