package mockidp

import (
	"bytes"
	"net/http"
	"time"
)

// post sends the browser to the service provider with an answer, or shows why
// there is none. The address is the form's, which comes from the app's list;
// the page needs no script, because its button is always there.
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
		panic(http.ErrAbortHandler) // net/http's way to close a connection; it logs nothing
	case f.status != 0:
		http.Error(w, "mockidp: a fault was asked for: "+http.StatusText(f.status), f.status)
		return nil
	}
	// No form-action: the service provider redirects on to where it likes,
	// and browsers would hold the policy against that as well.
	csp := policy("")
	if f.has(DuplicatePost) {
		csp += "; frame-src *"
	}
	w.Header().Set("Content-Security-Policy", csp)
	s.renderPost(w, app, out)
	return nil
}

// cutInField ends a page in the middle of its first field, which is the message,
// so that there is nothing to submit.
func cutInField(page []byte, fields []Field) []byte {
	input := []byte(`<input type="hidden" name="`)
	i := bytes.Index(page, input)
	if i < 0 || len(fields) == 0 {
		return page[:len(page)/2]
	}
	return page[:min(i+len(input)+len(fields[0].Value)/2, len(page))]
}

func (s *Server) renderPost(w http.ResponseWriter, app *App, out posted) {
	f := out.faults
	s.write(w, http.StatusOK, "post", page{Title: "Signing in to " + app.Label, Script: true, Body: struct {
		URL, Enctype string
		Get          bool
		Inputs       []Field
		Words        []word
		Twice        bool
	}{out.URL, string(out.Encoding), out.Method == GET, out.Inputs(), words(app.Label), f.has(DuplicatePost)}}, func(b []byte) []byte {
		if f.has(WrongContentType) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		}
		if f.has(CutPage) {
			return cutInField(b, out.Inputs())
		}
		return b
	})
}
