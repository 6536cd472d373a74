package mockidp

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// success answers for a user. It checks the assignment and the ACS list once more. sess is the user's session.
func (s *Server) success(st *state, app *App, p pending, u *User, sess *session) (posted, *Error) {
	if status, wrong := p.wrongSubject(st, app, u); wrong {
		return s.statusAnswer(st, app, p, status)
	}
	if !app.openTo(u) {
		return s.refusal(st, app, p, notAssigned(app, u))
	}
	class := app.classFor(p.req, sess.strength())
	if class == "" {
		return s.statusAnswer(st, app, p, noContext)
	}
	a, err := s.answerOf(app, p)
	if err != nil {
		return posted{}, err
	}
	a.user, a.authnInstant, a.sessionIndex, a.class, a.attack = u, sess.at, sess.index, class, p.attack
	a.session = sess.token
	if app.sendsTransient(p.req) {
		a.format = NameIDTransient
		a.nameID, err = s.newID()
	} else {
		a.format = app.NameIDFormat
		a.nameID, err = app.nameID(u)
	}
	if err != nil {
		return posted{}, err
	}
	return s.respond(st, a)
}

func (s *Server) answerOf(app *App, p pending) (answer, *Error) {
	acs, err := app.resolve(p.req)
	a := answer{app: app, acs: acs, binding: app.bindingFor(p.req), relayState: p.relayState, now: s.now()}
	if p.req != nil {
		a.inResponseTo = p.req.ID
	}
	return a, err
}

// refusal returns the error, or for an app with RefuseByStatus the answer with its status.
func (s *Server) refusal(st *state, app *App, p pending, err *Error) (posted, *Error) {
	status, told := statusFor(err)
	if !told || p.req == nil || app.Refusals != RefuseByStatus {
		return posted{}, err
	}
	return s.statusAnswer(st, app, p, status)
}

// statusAnswer answers a request without an assertion (SAML Core 3.2.2).
func (s *Server) statusAnswer(st *state, app *App, p pending, status Status) (posted, *Error) {
	a, err := s.answerOf(app, p)
	if err != nil {
		return posted{}, err
	}
	a.failure = &status
	return s.respond(st, a)
}

func notAssigned(app *App, u *User) *Error {
	if app.Inactive {
		return errorf(ReasonNotAssigned, "the app %s is switched off", quote(app.Label))
	}
	return errorf(ReasonNotAssigned, "the user %s isn't assigned to the app %s", quote(u.Login), quote(app.Label))
}

func inactive(u *User) *Error {
	return errorf(ReasonInactive, "the user %s is locked out, suspended, deprovisioned or staged", quote(u.Login))
}

// proceed continues a pending sign-in: to an answer, an error page, or the sign-in page. key is "" before
// storePending.
func (s *Server) proceed(w http.ResponseWriter, r *http.Request, p pending, key string) *Error {
	st := s.state.Load()
	app, err := st.appOf(p)
	if err != nil {
		return err
	}
	if status, wrong := p.wrongSubject(st, app, nil); wrong { // no sign-in can succeed
		return s.postStatus(w, r, st, app, p, status)
	}
	sess, user := s.sessionOf(r, st)
	other := !p.isFor(app, user) // the request is about another user, who may sign in
	compose := s.config.Compose && app.Kind == SAML
	if user == nil || (p.force(app) || other || compose && !p.passive()) && p.freshIn != sess.token {
		if p.passive() {
			return s.postStatus(w, r, st, app, p, noPassive)
		}
		if !compose && !p.satisfiable(app, withFactor) { // no sign-in satisfies it, so no password is asked for
			return s.postStatus(w, r, st, app, p, noContext)
		}
		queued := s.takeUser(st)
		if queued == nil && compose {
			return s.startComposing(w, r, p, key, user)
		}
		if queued == nil {
			return s.showSignIn(w, st, app, p, key, user)
		}
		if sess, err = s.openSession(w, r, queued); err != nil {
			return err
		}
		user = queued
	}
	stronger := !p.satisfiable(app, sess.strength()) && p.satisfiable(app, withFactor)
	if stronger && user.SecondFactor != "" && !p.passive() {
		if key, err = s.storePending(p, key); err != nil {
			return err
		}
		return s.askFactor(w, r, factor{login: user.Login, pending: key})
	}
	if app.Kind == Bookmark {
		if !app.openTo(user) {
			return notAssigned(app, user)
		}
		http.Redirect(w, r, app.URL, http.StatusFound)
		return nil
	}
	return s.post(w, r, app, func() (posted, *Error) { return s.success(st, app, p, user, sess) })
}

// showSignIn shows the sign-in page, with the login of the requested Subject, else of login_hint. user is the one who
// must sign in again, or nil.
func (s *Server) showSignIn(w http.ResponseWriter, st *state, app *App, p pending, key string, user *User) *Error {
	key, err := s.storePending(p, key)
	if err != nil {
		return err
	}
	page := signIn{App: app, User: user, Pending: key, Cancel: p.req != nil, Login: p.loginHint}
	if expected := p.expected(st, app); expected != nil {
		page.Login = expected.Login
	}
	s.signInPage(w, http.StatusOK, page)
	return nil
}

// handleSSO serves an app's single sign-on address. Without a SAMLRequest, sign-in is IdP-initiated.
func (s *Server) handleSSO(w http.ResponseWriter, r *http.Request) *Error {
	app := s.state.Load().byKey(r.PathValue("key"))
	if app == nil || app.Name != r.PathValue("name") {
		return errorf(ReasonNoSuchApp, "no app has this sign-on address")
	}
	in, err := readHTTP(w, r)
	if err != nil {
		return err
	}
	app, p, err := s.read(app, in, nil)
	return s.begin(w, r, app, in, p, err)
}

// begin continues with a request that was read, or with the error in it.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, app *App, in incoming, p pending, err *Error) *Error {
	if err != nil {
		if to := s.asksWhom(app, in); to != "" {
			s.redirect(w, r, to)
			return nil
		}
		if form := s.offer(app, p, err); form != nil {
			with := *err // the list of messages has err
			with.offer = form
			err = &with
		}
		return s.post(w, r, app, func() (posted, *Error) { return s.refusal(s.state.Load(), app, p, err) })
	}
	if in.compose = p.notAimed(in.compose); in.compose != nil {
		return s.answerComposed(w, r, app, in, p)
	}
	if in.binding == bindingRedirect {
		return s.proceed(w, r, p, "")
	}
	// The session cookie isn't sent with another site's POST, but it is with the redirect that follows.
	key, err := s.storePending(p, "")
	if err != nil {
		return err
	}
	s.redirect(w, r, pathContinue+"?pending="+key)
	return nil
}

// readHTTP reads the parameters of a GET (HTTP-Redirect) or a POST (HTTP-POST).
func readHTTP(w http.ResponseWriter, r *http.Request) (incoming, *Error) {
	if r.Method != http.MethodPost {
		if len(r.URL.RawQuery) > 2*maxRequest { // percent-encoding makes it up to three times as long
			return incoming{}, tooLarge("the query")
		}
		v, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return incoming{}, malformed(err, "invalid query")
		}
		in, perr := readParams(bindingRedirect, v)
		in.query, in.compose, in.loginHint = r.URL.RawQuery, composing(v), hintOf(v)
		return in, perr
	}
	v, err := readForm(w, r, maxRequest)
	if err != nil {
		return incoming{}, err
	}
	in, err := readParams(bindingPOST, v)
	in.loginHint = hintOf(r.URL.Query())
	if in.compose = composing(withQuery(v, r)); err == nil && !in.has && in.compose == nil {
		err = malformed(nil, "the form has no SAMLRequest")
	}
	return in, err
}

// hintOf returns the parameter login_hint, or "" if it is no login.
func hintOf(v url.Values) string {
	hint := v.Get(paramLoginHint)
	if len(hint) > maxLoginHint || !utf8.ValidString(hint) || strings.ContainsFunc(hint, unicode.IsControl) {
		return ""
	}
	return hint
}

// withQuery adds the query of a form's address.
func withQuery(form url.Values, r *http.Request) url.Values {
	out := r.URL.Query()
	for name, values := range form {
		out[name] = append(out[name], values...)
	}
	return out
}

func (s *Server) handleContinue(w http.ResponseWriter, r *http.Request) *Error {
	key := r.URL.Query().Get("pending")
	p, err := s.pendingByKey(key)
	if err != nil {
		return err
	}
	return s.proceed(w, r, p, key)
}

func (s *Server) handleBookmark(w http.ResponseWriter, r *http.Request) *Error {
	app, err := s.state.Load().app(r.PathValue("id"))
	if err == nil && app.Kind != Bookmark {
		err = errorf(ReasonNoSuchApp, "no bookmark has this address")
	}
	if err != nil {
		return err
	}
	return s.proceed(w, r, pending{appID: app.ID, at: s.now()}, "")
}

func (s *Server) postStatus(
	w http.ResponseWriter, r *http.Request, st *state, app *App, p pending, status Status) *Error {
	return s.post(w, r, app, func() (posted, *Error) { return s.statusAnswer(st, app, p, status) })
}

// post sends the browser to the service provider with an answer, or returns an error.
func (s *Server) post(w http.ResponseWriter, r *http.Request, app *App, answer func() (posted, *Error)) *Error {
	out, err := answer()
	if err != nil {
		return err
	}
	f := out.faults
	if len(f.kinds) > 0 {
		s.config.Logger.Warn("mockidp: faults", "app", app.ID, "kinds", f.kinds)
	}
	if f.delay > 0 {
		select {
		case <-time.After(f.delay):
		case <-r.Context().Done():
		}
	}
	switch {
	case f.has(DropConnection):
		panic(http.ErrAbortHandler) // makes net/http close the connection without a log line
	case f.status != 0:
		http.Error(w, "mockidp: an injected fault: "+http.StatusText(f.status), f.status)
		return nil
	}
	if r.Method == http.MethodPost && slices.Contains([]string{pathCancel, pathCompose, pathComposeXML}, r.URL.Path) {
		return s.leadToAnswer(w, r, madeAnswer{app, out})
	}
	artifact := slices.ContainsFunc(out.Fields, func(in Field) bool { return in.Name == "SAMLart" })
	if artifact && out.Method == GET && r.Method == http.MethodGet && r.URL.Path != pathContinue && len(f.kinds) == 0 {
		// From a page with a form, the form's policy would forbid the redirect; pathContinue may come after one.
		to, err := out.request()
		if err != nil {
			return internal("writing the redirect", err)
		}
		http.Redirect(w, r, to.URL.String(), http.StatusSeeOther)
		return nil
	}
	s.showAnswer(w, madeAnswer{app, out})
	return nil
}

// madeAnswer is an answer to the form of one of the Server's pages. It waits at an address of its own, to which a
// browser without script can go back.
type madeAnswer struct {
	app *App
	out posted
}

func (m madeAnswer) bytes() int { return Message{Form: m.out.Form}.size() + len(m.out.URL) }

func (s *Server) leadToAnswer(w http.ResponseWriter, r *http.Request, m madeAnswer) *Error {
	key, err := s.token(16)
	if err != nil {
		return err
	}
	s.made.put(key, m)
	s.redirect(w, r, pathAnswer+"?answer="+key)
	return nil
}

func (s *Server) handleAnswer(w http.ResponseWriter, r *http.Request) *Error {
	m, ok := s.made.get(r.URL.Query().Get("answer"))
	if !ok {
		return errorf(ReasonRequestNotFound, "this response is no longer kept; start again at the app")
	}
	s.showAnswer(w, m)
	return nil
}

func (s *Server) showAnswer(w http.ResponseWriter, m madeAnswer) {
	// No form-action: the service provider may redirect anywhere, and browsers apply the policy to redirects as well.
	csp := policy("")
	if m.out.faults.has(DuplicatePost) {
		csp += "; frame-src *"
	}
	w.Header().Set("Content-Security-Policy", csp)
	s.renderPost(w, m.app, m.out)
}

func (s *Server) renderPost(w http.ResponseWriter, app *App, out posted) {
	spoil := func(page []byte) []byte {
		if out.faults.has(WrongContentType) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		}
		if out.faults.has(CutPage) {
			return cutInField(page, out.Inputs())
		}
		return page
	}
	const doing = "Signing in to"
	s.render(w, http.StatusOK, "post", page{Title: doing + " " + app.Label, Script: scriptSubmit, spoil: spoil,
		Body: postPage{doing, out.URL, string(out.Encoding), out.Method == GET, out.Inputs(), words(app.Label),
			out.faults.has(DuplicatePost)}})
}

// postPage is the data of a page that submits a message to a service provider.
type postPage struct {
	Doing, URL, Enctype string
	Get                 bool
	Inputs              []Field
	Words               []word // of the app's label
	Twice               bool
}

// cutInField cuts a page in the middle of its first field, the message, so that nothing can be submitted.
func cutInField(page []byte, fields []Field) []byte {
	input := []byte(`<input type="hidden" name="`)
	i := bytes.Index(page, input)
	if i < 0 || len(fields) == 0 {
		return page[:len(page)/2]
	}
	return page[:min(i+len(input)+len(fields[0].Value)/2, len(page))]
}
