package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"xrdpfix/internal/lab"
)

// labTag is the build tag of the tests that need the lab.
const labTag = "lab"

// labParallel is how many hosts one package has at a time: their rows wait more
// than they compute, so more than the two cores that the project is made for.
const labParallel = "4"

var testFunc = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)

// labTests runs the tests that the tag adds, and only those: the others have run
// already. A lab that cannot run is a failure.
func labTests(ctx context.Context, r *runner) (tally, error) {
	packages, names, err := tagged(ctx)
	if err != nil {
		return tally{}, err
	}
	if len(names) == 0 {
		return tally{}, errors.New("no test has the build tag " + labTag)
	}
	var images []lab.Image
	for _, s := range lab.Suites() {
		img, err := lab.EnsureImage(ctx, s, r.out)
		if err != nil {
			return tally{}, fmt.Errorf("prepare %s: %w", s, err)
		}
		r.say("image %-10s xrdp %s, %s", img.Suite, img.Versions["xrdp"], img.Versions["openssl"])
		images = append(images, img)
	}
	if _, err := lab.EnsureClient(ctx, r.out); err != nil {
		return tally{}, fmt.Errorf("prepare the client: %w", err)
	}
	var env []string
	limit := "45m"
	if r.all {
		env, limit = []string{"XRDPFIX_ALL=1"}, "3h"
	}
	args := []string{"-tags", labTag, "-count=1", "-p", "1", "-parallel", labParallel, "-timeout", limit,
		"-run", "^(" + strings.Join(names, "|") + ")$"}
	p, err := r.goTest(ctx, true, env, append(args, packages...)...)
	if r.all {
		err = errors.Join(err, writeTested(images, p.rows))
	}
	return p.tally, err
}

// tagged returns the packages that have files with the tag, and the tests in
// those files.
func tagged(ctx context.Context) (packages, names []string, err error) {
	without, err := list(ctx)
	if err != nil {
		return nil, nil, err
	}
	with, err := list(ctx, "-tags", labTag)
	if err != nil {
		return nil, nil, err
	}
	var plain []string
	for _, l := range without {
		plain = append(plain, l.testFiles()...)
	}
	for _, l := range with {
		var found []string
		for _, file := range l.testFiles() {
			if slices.Contains(plain, file) {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, nil, fmt.Errorf("look for tests of the lab: %w", err)
			}
			for _, m := range testFunc.FindAllSubmatch(text, -1) {
				if name := string(m[1]); name != "TestMain" {
					found = append(found, name)
				}
			}
		}
		if len(found) > 0 {
			packages, names = append(packages, l.ImportPath), append(names, found...)
		}
	}
	slices.Sort(names)
	return packages, slices.Compact(names), nil
}
