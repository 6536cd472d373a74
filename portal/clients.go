package portal

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// The paths of the pages on which users answer programs. WithClients serves them.
const (
	PathClient = "/client" // asks whether a program may act for the user
	PathDevice = "/device" // takes the code that a program shows
)

// Clients are programs, such as command lines, that ask users for access. Their requests come through a browser, as
// opaque text that Clients made. Package portal/awsapi/oidc has an implementation.
//
// An error should be an *Error: ReasonClientRequest, ReasonUserCode or ReasonUserCodes. Any other one is treated as a
// store's that can't answer.
type Clients interface {
	// Request returns what a program asks for. It must change nothing. by is the session of the user who would answer.
	Request(ctx context.Context, request string, by Approval) (ClientRequest, error)
	// Allow lets the program in, and Deny refuses it. They return the URL to which the browser is redirected, or "" for a
	// program that asks for the answer itself. The portal calls one of them, once, for a request.
	Allow(ctx context.Context, request string, by Approval) (redirect string, err error)
	Deny(ctx context.Context, request string, by Approval) (redirect string, err error)
	// Enter returns the request of the program that shows this code, once. The request must be valid for this session
	// only: otherwise an attacker could enter the code of a program of their own, and send the request to other users.
	// Clients bound how many wrong codes a user may enter.
	Enter(ctx context.Context, userCode string, by Approval) (request string, err error)
	// StartURL returns the URL that stands for this Region's portal in the programs' configuration, for the page of a
	// role. Empty: the portal's own.
	StartURL() string
}

// ClientRequest is what a program asks for.
type ClientRequest struct {
	// Name is how the program calls itself. Any program can take any name.
	Name string
	// Scopes say what the program may do as the user, each as an infinitive: "see your accounts".
	Scopes []string
	// Redirect is the URL at which the program waits for the answer. Empty: it asks for the answer itself.
	Redirect string
	// UserCode is the code that the program shows, Addr the address of the program's request, and Asked its time. They
	// are empty for a program that waits at Redirect, because that is on the user's computer.
	UserCode, Addr string
	Asked          time.Time
	// Until is when the request expires.
	Until time.Time
}

// Approval names the browser's session in which a user answers. It gives no access. [Portal.Authorize] accepts it as
// long as that session lives.
type Approval struct {
	Key    string `json:"key"` // of the session in the store, the hash of its identifier
	ID     string `json:"id"`  // the session's ID
	UserID string `json:"user"`
}

func (v *visit) approval() Approval { return Approval{v.key, v.session.ID, v.user.ID} }

// WithClients returns a handler that serves the portal, and the pages on which its users answer programs. The page of a
// permission set then says how AWS's command line gets credentials for it.
func (p *Portal) WithClients(c Clients) http.Handler {
	pages, mux := clientPages{p, c}, http.NewServeMux()
	mux.Handle("/", p)
	p.route(mux, PathClient, byMethod{
		http.MethodGet: p.visitor(pages.ask), http.MethodPost: p.visitor(pages.answer),
	})
	p.route(mux, pathRole, byMethod{http.MethodGet: p.visitor(pages.role)})
	p.route(mux, PathDevice, byMethod{
		http.MethodGet: p.visitor(pages.device), http.MethodPost: p.visitor(pages.entered),
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { mux.ServeHTTP(w, p.withClient(r)) })
}

// clientPages are the pages on which users answer programs.
type clientPages struct {
	*Portal
	clients Clients
}

// refuseClient shows why a program's request can't be answered.
func (p clientPages) refuseClient(w http.ResponseWriter, r *http.Request, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = unavailable("request of a program", err)
	}
	p.refuseVisit(w, r, e)
}

// Region returns the name of the Region that the portal serves.
func (p *Portal) Region() string { return p.cfg.Region }

// Now returns the time by Config.Now, without Go's monotonic reading.
func (p *Portal) Now() time.Time { return p.now() }

// Origin returns the origin of this Region's portal that a URL names, or the first one for "". If the URL is of another
// Region, or of none, Origin reports false.
func (p *Portal) Origin(portalURL string) (origin string, ok bool) {
	here, _ := p.regionNamed(p.cfg.Region)
	all := origins(here.PortalURLs)
	if portalURL == "" && len(all) > 0 {
		return all[0], true
	}
	origin = originOf(portalURL)
	return origin, origin != "" && slices.Contains(all, origin)
}

// clientURL is the page for a program's request.
func clientURL(request string) string {
	return PathClient + "?" + url.Values{"request": {request}}.Encode()
}
