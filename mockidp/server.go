package mockidp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"html/template"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of the tables. Unauthenticated clients can fill the first; a session takes a password.
const (
	keptSignIns     = 1000 // pending sign-ins, at each step
	keptSignInBytes = 64 << 20
	keptAnswerBytes = 16 << 20
	keptSessions    = 10000
)

// Server is an identity provider. Its methods may be called from several goroutines at once, and while it serves.
type Server struct {
	// URL is the address, "http://127.0.0.1:41234" or Config.BaseURL, with the random path of Config.OddPaths, without a
	// slash at the end. Set by Start and StartTLS, and by Open where Config.BaseURL is complete.
	URL string

	// Listener is set by NewUnstarted, and may be replaced before Start.
	Listener net.Listener

	config  Config
	prefix  string // of every path; "" unless Config.OddPaths
	handler http.Handler
	pages   map[string]*template.Template
	initial atomic.Pointer[state] // what Reset goes back to
	ordered orders                // likewise
	state   atomic.Pointer[state]
	writing sync.Mutex // held by Update and Reset
	changed broadcast  // wakes when state was replaced
	randMu  sync.Mutex // guards config.Rand
	offset  atomic.Int64
	baseURL atomic.Pointer[string] // nil until it is known

	root       *Server    // of a tenant; else nil
	name       string     // of a tenant
	tenants    tenants    // of a root
	federation federation // of a root

	// Reset empties the rest, except for life.
	messages messageLog
	pending  bounded[pending]
	factors  bounded[factor]
	again    bounded[signIn] // failed sign-ins, for the page that says so
	made     bounded[madeAnswer]
	logouts  bounded[logout]
	heard    bounded[struct{}] // LogoutRequests, by app and ID
	sessions sessionTable

	artifacts bounded[artifact] // by MessageHandle
	failures  table[int]        // wrong passwords and codes in a row, by loginKey, of existing users
	logins    table[time.Time]  // when users signed in last, by User.ID; not configurable, so not part of the state
	orders    guarded[orders]

	life struct {
		sync.Mutex
		started, closed bool
		http            *http.Server
		fresh           map[net.Conn]bool // accepted, no request yet
		root            *x509.Certificate // of StartTLS
		transport       *http.Transport
	}
}

// New starts an identity provider on a loopback address. Without Config.Key it signs with the published test key (see
// Config.InsecureTestKey), which takes no time to make. The caller calls Close. It panics with an *Error if the
// Config is invalid, as test helpers do; Open returns the error.
func New(c Config) *Server {
	s := NewUnstarted(c)
	s.Start()
	return s
}

// NewUnstarted makes an identity provider that listens but doesn't serve yet. The caller calls Start or StartTLS, and
// Close. It panics like New.
func NewUnstarted(c Config) *Server {
	c.InsecureTestKey = c.InsecureTestKey || c.Key == nil && c.Certificate == nil
	s, err := Open(c)
	if err != nil {
		panic(err)
	}
	if s.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		panic("mockidp: listening on loopback: " + err.Error())
	}
	return s
}

// Open makes an identity provider without a listener, for programs with a configuration of their own. Set Listener
// before Start, or set Config.BaseURL and serve Handler.
func Open(c Config) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	noApps := len(c.Apps) == 0
	c = c.withDefaults()
	s := &Server{config: c, pages: parsePages()}
	s.bound(1)
	s.config.Users, s.config.Groups, s.config.Apps, s.config.Keys = nil, nil, nil, nil // the state holds them
	s.config.Mutations, s.config.MutationInfo = slices.Clone(c.Mutations), maps.Clone(c.MutationInfo)
	s.config.Hosts = slices.Clone(c.Hosts)
	key, err := s.firstKey(c)
	if err != nil {
		return nil, err
	}
	salt := ""
	if c.OddPaths {
		var err *Error
		if salt, err = s.token(8); err != nil {
			return nil, err
		}
		s.prefix = "/" + salt[:8]
	}
	more, err := s.furtherKeys(c.Keys)
	if err != nil {
		return nil, err
	}
	initial, err := newState(c, key, more, naming{salt: salt}, noApps)
	if err != nil {
		return nil, err
	}
	if c.Federation.Key != nil {
		if _, err := s.federation.signer(s, goodKey); err != nil {
			return nil, err
		}
	}
	s.initial.Store(initial)
	var oerr *Error
	if s.ordered, oerr = s.orderedBy(c, initial); oerr != nil {
		return nil, oerr
	}
	initial.note(&state{}, s.now())
	s.Reset()
	if c.BaseURL != "" && !strings.HasSuffix(strings.TrimRight(c.BaseURL, "/"), ":0") {
		s.setBase(c.BaseURL)
		s.URL = s.base()
	}
	s.handler = s.routes()
	return s, nil
}

// bound sets the bounds of the tables to a part of the usual ones.
func (s *Server) bound(part int) {
	s.pending.most, s.factors.most, s.again.most = keptSignIns, keptSignIns, keptSignIns/part
	s.sessions.most = keptSessions / part
	s.made.most, s.made.mostBytes, s.made.size = keptSignIns/part, keptAnswerBytes/part, madeAnswer.bytes
	s.logouts.most, s.heard.most = keptSignIns, keptSignIns
	s.artifacts.most, s.artifacts.mostBytes, s.artifacts.size = keptSignIns/part, keptAnswerBytes/part, artifact.bytes
	s.logouts.mostBytes, s.logouts.size = keptAnswerBytes/part, logout.bytes
	s.pending.mostBytes, s.pending.size = keptSignInBytes/part, pending.bytes
	s.messages.mostBytes = keptBytes / part
}

// Start serves plain http. It panics if the server has started already.
func (s *Server) Start() { s.start(nil) }

// StartTLS serves https with a new certificate, which Client trusts and TLSCertificate returns. It panics if the
// server has started already.
func (s *Server) StartTLS() {
	s.mustBeRoot()
	cert, err := serverCertificate(s.now(), s.config.BaseURL, s.config.Hosts)
	if err != nil {
		panic("mockidp: making a TLS certificate: " + err.Error())
	}
	s.life.Lock()
	s.life.root = cert.Leaf
	s.life.Unlock()
	// A service provider may authenticate its calls by SOAP with a certificate; App.RequestCertificates has its key.
	s.start(&tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"},
		ClientAuth: tls.RequestClientCert})
}

func (s *Server) start(t *tls.Config) {
	s.mustBeRoot()
	s.life.Lock()
	defer s.life.Unlock()
	switch {
	case s.life.started:
		panic("mockidp: Server started twice")
	case s.life.closed:
		panic("mockidp: Server started after Close")
	case s.Listener == nil:
		panic("mockidp: Server started without a Listener; NewUnstarted makes one")
	}
	if err := s.leaveTestKey(); err != nil {
		panic(err)
	}
	s.life.started = true
	addr, l, scheme := s.Listener.Addr().String(), s.Listener, "http"
	if t != nil {
		l, scheme = tls.NewListener(l, t), "https"
	}
	base := scheme + "://" + addr
	if b := strings.TrimRight(s.config.BaseURL, "/"); strings.HasSuffix(b, ":0") {
		_, port, _ := net.SplitHostPort(addr)
		base = strings.TrimSuffix(b, "0") + port
	} else if b != "" {
		base = b
	}
	s.setBase(base)
	s.URL = s.base()
	s.life.fresh = map[net.Conn]bool{}
	h := &http.Server{Handler: s.handler, ConnState: s.track,
		// On a busy machine, seconds may pass between a connection and its request.
		ReadHeaderTimeout: time.Minute, ReadTimeout: time.Minute, MaxHeaderBytes: 4 * maxRequest,
		ErrorLog: log.New(io.Discard, "", 0)}
	s.life.http = h
	go func() { _ = h.Serve(l) }()
}

// track records connections that browsers opened in advance. Shutdown would wait seconds for a request on them.
func (s *Server) track(c net.Conn, st http.ConnState) {
	s.life.Lock()
	defer s.life.Unlock()
	if st == http.StateNew && !s.life.closed {
		s.life.fresh[c] = true
		return
	}
	delete(s.life.fresh, c)
	if st == http.StateNew {
		_ = c.Close()
	}
}

// Close stops the server and waits for requests in progress. It may be called twice, and before Start. Close of a
// tenant removes it; the next use of its name makes a new one.
func (s *Server) Close() {
	if s.root != nil {
		s.root.tenants.remove(s)
		return
	}
	s.life.Lock()
	already := s.life.closed
	s.life.closed = true
	h, transport := s.life.http, s.life.transport
	for c := range s.life.fresh {
		_ = c.Close()
	}
	s.life.Unlock()
	if already {
		return
	}
	if transport != nil {
		transport.CloseIdleConnections()
	}
	switch {
	case h != nil:
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if h.Shutdown(ctx) != nil {
			_ = h.Close()
		}
	case s.Listener != nil:
		_ = s.Listener.Close()
	}
}

// Handler returns the identity provider as a handler, for a listener of the caller's. It panics if Config.BaseURL is
// empty and Start wasn't called: the address is never taken from a request.
func (s *Server) Handler() http.Handler {
	s.base()
	return s.handler
}

func (s *Server) setBase(b string) {
	b = strings.TrimRight(b, "/") + s.prefix
	s.baseURL.Store(&b)
	s.tenants.setURL(b)
}

func (s *Server) base() string {
	if s.root != nil {
		return s.root.base() + pathTenants + s.name
	}
	if b := s.baseURL.Load(); b != nil {
		return *b
	}
	panic("mockidp: the address is unknown before Start; set Config.BaseURL")
}
