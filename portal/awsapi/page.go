package awsapi

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Pages cuts lists into pages. A page's token says after which element the next page begins, so that elements that
// come or go meanwhile neither repeat others nor hide them.
type Pages struct {
	Tokens Tokens
	Max    int // the largest page, and that of a request without a size; zero: 100
}

// pageLife is how long the token of a page is valid.
const pageLife = 24 * time.Hour

// Page returns the part of a list that a request asks for, and the next token, or "" on the last page. The list is
// sorted by key, and no two elements have the same one. The request names the operation, the caller and each parameter
// but size and token: a token is valid for that request only. The error is an *Error: ReasonInput if the token isn't
// valid, or ReasonUnavailable.
func Page[T any](ctx context.Context, p Pages, list []T, key func(T) string, size int, token string,
	request ...string) (page []T, next string, err error) {
	most := p.Max
	if most == 0 {
		most = 100
	}
	if size == 0 {
		size = most
	}
	if size < 0 || size > most {
		return nil, "", badInput("size of the page", "1 to "+strconv.Itoa(most), strconv.Itoa(size))
	}
	kind := pageKind(request)
	if token != "" {
		var after string
		err := p.Tokens.Open(ctx, kind, token, &after)
		var e *Error
		if errors.As(err, &e) && e.Reason != ReasonUnavailable {
			return nil, "", badInput("token of the page", "one from this request", "")
		} else if err != nil {
			return nil, "", err
		}
		i, found := slices.BinarySearchFunc(list, after, func(x T, k string) int { return strings.Compare(key(x), k) })
		if found {
			i++
		}
		list = list[i:]
	}
	if len(list) <= size {
		return list, "", nil
	}
	list = list[:size]
	next, err = p.Tokens.Seal(ctx, kind, p.Tokens.now().Add(pageLife), key(list[size-1]))
	return list, next, err
}

// pageKind joins without ambiguity.
func pageKind(request []string) string {
	kind := "page"
	for _, part := range request {
		kind += " " + strconv.Itoa(len(part)) + ":" + part
	}
	return kind
}
