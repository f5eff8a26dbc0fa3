package lab

import "testing"

// TestInstallNothing: nothing is begun where nothing is missing, and where there is no
// apt-get the packages are named.
func TestInstallNothing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := Install(t.Context(), nil, func() []string { return nil }); err != nil {
		t.Errorf("with nothing missing: %v", err)
	}
	err := Install(t.Context(), nil, func() []string { return []string{"gcc", "libc6-dev"} })
	if err == nil || err.Error() != "install gcc libc6-dev" {
		t.Errorf("without apt-get: %v", err)
	}
}
