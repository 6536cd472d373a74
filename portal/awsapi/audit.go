package awsapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/meridian-saml/meridian/portal/audit"
)

// AuditConfig describes where a service's events go. The zero value: nowhere.
type AuditConfig struct {
	// Log receives refused requests, and what services of this module add to that. Nil: no events.
	Log *audit.Log
	// ClientAddr returns the IP address of a client, as in portal.Config. Nil: r.RemoteAddr.
	ClientAddr func(*http.Request) string
}

// withClient returns a request whose context has the client for the events.
func (c AuditConfig) withClient(r *http.Request) *http.Request {
	if c.Log == nil {
		return r
	}
	addr := r.RemoteAddr
	if c.ClientAddr != nil {
		addr = c.ClientAddr(r)
	}
	return r.WithContext(audit.WithClient(r.Context(), addr, r.UserAgent()))
}

// restEvents are the names of operations with Protocol REST in the services' models.
var restEvents = map[string]string{
	"GET /assignment/accounts":    "ListAccounts",
	"GET /assignment/roles":       "ListAccountRoles",
	"GET /federation/credentials": "GetRoleCredentials",
	"POST /logout":                "Logout",
	"POST /client/register":       "RegisterClient",
	"POST /device_authorization":  "StartDeviceAuthorization",
	"POST /token":                 "CreateToken",
}

// Event returns the event of a call, for a Handler to complete.
func (c *Call) Event() audit.Event {
	e := audit.Event{Source: audit.SourceSSO, Name: c.Operation, Type: audit.APICall, RequestID: c.RequestID}
	if name, ok := restEvents[c.Operation]; ok {
		e.Name = name
	}
	if e.Name == "" {
		e.Name = "UnknownOperation"
	}
	if role := c.Caller.Role; role.UserID != "" {
		e.Identity = audit.User(role.UserID, role.UserName, "")
	}
	return e
}

// auditRefused writes a refused request. Clients that poll for a user's answer are not refused.
func (s *Service) auditRefused(ctx context.Context, call *Call, ex *Exception) {
	if s.cfg.Audit.Log == nil || ex.Name == "AuthorizationPendingException" || ex.Name == "SlowDownException" {
		return
	}
	e := call.Event()
	e.ErrorCode = ex.Name
	if s.cfg.Name == "sts" {
		e.Source = "sts.amazonaws.com"
	}
	var why *Error
	if errors.As(ex.Err, &why) {
		e.ErrorMessage = string(why.Reason) + ": " + why.Rule
	}
	s.cfg.Audit.Log.Refused(ctx, e)
}
