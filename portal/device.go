package portal

import (
	"errors"
	"net/http"
	"strings"
)

// deviceBody is the page that takes the code that a program shows.
type deviceBody struct {
	UserCode string // as the link or the user gave it
	Given    bool   // whether a link gave it
	Problem  string
}

const (
	textUserCode = "This code is not valid. It may have been used, or be too old. Compare it with the program, or run " +
		"the command again for a new one."
	textApproved = "The program has the access that you allowed. You can close this window and return to the program. " +
		"To end the access, open Sessions."
	textDenied = "The program has no access. You can close this window."
)

// device shows the form for a code. A code in the link fills it in, and the user submits it.
func (p clientPages) device(w http.ResponseWriter, r *http.Request, v *visit) {
	code := shownCode(r.URL.Query().Get("user_code"))
	p.renderDevice(w, r, v, http.StatusOK, deviceBody{UserCode: code, Given: code != ""})
}

func (p clientPages) renderDevice(w http.ResponseWriter, r *http.Request, v *visit, status int, body deviceBody) {
	title := "Authorization requested"
	if !body.Given {
		title = "Enter the code of a program"
	}
	p.render(w, r, status, "device", v.page(title, "", body))
}

// entered takes a code and asks for the user's answer. Cancel is an answer too: it denies the request.
func (p clientPages) entered(w http.ResponseWriter, r *http.Request, v *visit) {
	answer := ""
	if err := r.ParseForm(); err == nil {
		answer = r.PostForm.Get("answer")
	}
	if answer != "continue" && answer != "cancel" {
		p.badRequest(w, r)
		return
	}
	code := r.PostForm.Get("user_code")
	request, err := p.clients.Enter(r.Context(), code, v.approval())
	var e *Error
	switch {
	case errors.As(err, &e) && e.Reason == ReasonUserCode && answer == "continue":
		p.logRefused(r.Context(), e, "")
		p.renderDevice(w, r, v, http.StatusBadRequest, deviceBody{UserCode: shownCode(code), Problem: textUserCode})
	case errors.As(err, &e) && e.Reason == ReasonUserCode:
		p.answered(w, r, v, false) // nothing is there to deny
	case err != nil:
		p.refuseClient(w, r, err)
	case answer == "continue":
		http.Redirect(w, r, clientURL(request), http.StatusSeeOther)
	default:
		if _, err := p.clients.Deny(r.Context(), request, v.approval()); err != nil {
			p.refuseClient(w, r, err)
			return
		}
		p.log.InfoContext(r.Context(), "portal: program answered", "user", v.user.UserName, "answer", "deny",
			"device", true)
		_ = p.auditProgram(r.Context(), v.session, "", false)
		p.answered(w, r, v, false)
	}
}

// answered is the last page for a program that asks for the answer itself.
func (p *Portal) answered(w http.ResponseWriter, r *http.Request, v *visit, allowed bool) {
	title, text := "Request denied", textDenied
	if allowed {
		title, text = "Request approved", textApproved
	}
	body := messageBody{Text: text, Action: "Your sessions", Href: PathSessions}
	p.render(w, r, http.StatusOK, "message", v.page(title, "", body))
}

// maxUserCode is the maximum length of a code on a page.
const maxUserCode = 16

// shownCode returns a code that a link or the user gave, for the form. Codes consist of letters, digits and hyphens.
func shownCode(raw string) string {
	code := strings.ToUpper(strings.TrimSpace(raw))
	notShown := func(c rune) bool { return c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') }
	if len(code) > maxUserCode || strings.ContainsFunc(code, notShown) {
		return ""
	}
	return code
}
