//go:build unix

package regions_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// visitor is a browser of the chaos. It keeps cookies by host, and follows
// redirects only in follow.
type visitor struct{ jar map[string]map[string]string }

func newVisitor() *visitor { return &visitor{map[string]map[string]string{}} }

// copy returns another browser with the same cookies.
func (v *visitor) copy() *visitor {
	out := newVisitor()
	for host, jar := range v.jar {
		out.jar[host] = maps.Clone(jar)
	}
	return out
}

// response is the part of an HTTP response that the tests use.
type response struct {
	at     *url.URL
	status int
	to     *url.URL // of the redirect; nil: none
}

var visitorClient = &http.Client{
	Timeout:       20 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port) // *.localhost
		}},
}

// send makes one request: a POST, if there is a form.
func (v *visitor) send(ctx context.Context, to string, form url.Values) (response, error) {
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(body))
	if err != nil {
		return response{}, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return v.do(req)
}

func (v *visitor) do(req *http.Request) (response, error) {
	host := req.URL.Host
	if req.Host != "" {
		host = req.Host
	}
	for name, value := range v.jar[host] {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	res, err := visitorClient.Do(req)
	if err != nil {
		return response{}, err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return response{}, err
	}
	if v.jar[host] == nil {
		v.jar[host] = map[string]string{}
	}
	for _, c := range res.Cookies() {
		if c.MaxAge < 0 {
			delete(v.jar[host], c.Name)
		} else {
			v.jar[host][c.Name] = c.Value
		}
	}
	out := response{at: req.URL, status: res.StatusCode}
	if to := res.Header.Get("Location"); to != "" {
		if out.to, err = req.URL.Parse(to); err != nil {
			return out, err
		}
	}
	return out, nil
}

var errElsewhere = errors.New("it did not end at home")

// follow follows redirects to the home page of an origin, and opens a page that needs a session.
func (v *visitor) follow(ctx context.Context, s response, origin string) error {
	for range 10 {
		switch {
		case s.to == nil && s.status == http.StatusOK && s.at.Path == "/" && strings.HasSuffix(origin, s.at.Host):
			opened, err := v.send(ctx, origin+"/applications", nil)
			if err == nil && opened.status != http.StatusOK {
				err = errElsewhere
			}
			return err
		case s.to == nil || s.to.Path == "/refused" || strings.HasPrefix(s.to.Host, "idp."):
			return errElsewhere
		}
		var err error
		if s, err = v.send(ctx, s.to.String(), nil); err != nil {
			return err
		}
	}
	return errElsewhere
}

// in reports whether a node accepts the browser's session. A request for a
// sign-in means no; any other answer, unknown.
func (v *visitor) in(ctx context.Context, origin string, node *process) (in, known bool) {
	u, err := url.Parse(origin)
	if err != nil {
		return false, false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1/applications", nil)
	if err != nil {
		return false, false
	}
	req.Host, req.URL.Host = u.Host, addressOf(node)
	s, err := v.copy().do(req)
	if err != nil {
		return false, false
	}
	return s.status == http.StatusOK, s.status == http.StatusOK || s.status == http.StatusSeeOther
}
