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

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = 8 << 20

// do sends a request, with retries, and decodes the answer of a success into into. accepted lists further statuses
// that are not errors. It returns the status. Every request of this package may be sent twice.
func (r *push) do(ctx context.Context, method, path string, body, into any, accepted ...int) (int, error) {
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return 0, &mockidp.Error{Reason: mockidp.ReasonInternal, Detail: "encoding a SCIM request", Err: err}
		}
	}
	wait := r.c.Backoff
	for try := 0; ; try++ {
		status, answer, retryAfter, err := r.once(ctx, method, path, raw)
		if err == nil && (status < 300 || slices.Contains(accepted, status)) {
			if into == nil || status >= 300 {
				return status, nil
			}
			if err = json.Unmarshal(answer, into); err == nil {
				return status, nil
			}
			err = fmt.Errorf("decoding the answer: %w", err) // it was probably cut off
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		retry := err != nil || status == http.StatusTooManyRequests || status >= 500
		if !retry || try >= r.c.Retries {
			if err != nil {
				detail := "SCIM " + method + " " + strconv.Quote(path)
				return 0, &mockidp.Error{Reason: mockidp.ReasonProvisioning, Detail: detail, Err: err}
			}
			return status, refused(method, path, status, string(answer))
		}
		r.resent.Add(1)
		select {
		case <-time.After(max(wait, retryAfter)):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		wait = min(2*wait, 10*time.Second)
	}
}

// once sends a request once. retryAfter is at most a minute.
func (r *push) once(ctx context.Context, method, path string, raw []byte) (
	status int, answer []byte, retryAfter time.Duration, err error) {
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
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After")) // 0 if it is missing or a date
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, answer, time.Duration(min(seconds, 60)) * time.Second, err
}

func refused(method, path string, status int, answer string) *mockidp.Error {
	return &mockidp.Error{Reason: mockidp.ReasonProvisioning, Detail: "SCIM " + method + " " + strconv.Quote(path),
		Want: "2xx", Got: strconv.Itoa(status) + " " + answer}
}
