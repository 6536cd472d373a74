package oidc

import (
	"context"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/audit"
)

// auditToken writes that a program got an access token, without the token. It waits until the event is on disk.
func (s *Server) auditToken(ctx context.Context, got portal.Authorization, scopes []string, until time.Time) {
	if s.cfg.Audit == nil {
		return
	}
	_ = s.cfg.Audit.Access(ctx, audit.Event{ // it logs a failure, which stops nothing
		Source: audit.SourceSSO, Name: "CreateToken", Type: audit.APICall,
		Identity: audit.User(got.User.ID, got.User.UserName, got.Session.ID),
		Request:  map[string]string{"clientName": got.Session.Client, "scope": strings.Join(scopes, " ")},
		Response: map[string]string{"expiration": until.UTC().Format(time.RFC3339)},
	})
}
