package scimpush

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// maxSCIM bounds an answer.
const maxSCIM = 8 << 20

// do sends a request until there is an answer worth having: a success, one of
// the statuses that the caller can use, or a refusal for good. Every request
// that is sent here may be sent twice.
func (r *push) do(ctx context.Context, method, path string, body, into any, also ...int) (int, error) {
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return 0, &mockidp.Error{Reason: mockidp.ReasonInternal, Detail: "writing a SCIM request", Err: err}
		}
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	wait := r.c.Backoff
	for try := 0; ; try++ {
		status, answer, later, err := r.once(ctx, method, path, raw)
		if err == nil && (status < 300 || slices.Contains(also, status)) {
			if into == nil || status >= 300 {
				return status, nil
			}
			if err = json.Unmarshal(answer, into); err == nil {
				return status, nil
			}
			err = fmt.Errorf("the answer isn't JSON: %w", err) // cut off, most likely
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		again := err != nil || status == http.StatusTooManyRequests || status >= 500
		if !again || try >= r.c.Retries {
			if err != nil {
				return 0, &mockidp.Error{Reason: mockidp.ReasonProvisioning, Detail: "SCIM " + method + " " + strconv.Quote(path), Err: err}
			}
			return status, scimError(method, path, status, string(answer))
		}
		r.resent.Add(1)
		pause := max(wait, min(later, time.Minute))
		wait = min(2*wait, 10*time.Second)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func (r *push) once(ctx context.Context, method, path string, raw []byte) (status int, answer []byte, later time.Duration, err error) {
	r.sent.Add(1)
	req, err := http.NewRequestWithContext(ctx, method, r.c.BaseURL+path, bytes.NewReader(raw))
	if err != nil {
		return 0, nil, 0, err
	}
	req.Header.Set("Authorization", "Bearer "+r.c.Token)
	req.Header.Set("Accept", "application/scim+json")
	req.Header.Set("User-Agent", "mockidp SCIM client")
	if raw != nil {
		req.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
	}
	resp, err := r.c.Client.Do(req)
	if err != nil {
		return 0, nil, 0, err
	}
	defer resp.Body.Close()
	if n, perr := strconv.Atoi(resp.Header.Get("Retry-After")); perr == nil && n > 0 {
		later = time.Duration(min(n, 60)) * time.Second
	}
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxSCIM))
	return resp.StatusCode, answer, later, err
}

func scimError(method, path string, status int, answer string) *mockidp.Error {
	return &mockidp.Error{Reason: mockidp.ReasonProvisioning, Detail: "SCIM " + method + " " + strconv.Quote(path) + " was refused", Want: "2xx", Got: strconv.Itoa(status) + " " + answer}
}
