package lab

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// TestUser and TestPassword log in to a desktop of every host: an X session
// with one xterm.
const (
	TestUser     = "test"
	TestPassword = "test"
)

// A recipe is all that decides what an image holds; its hash names the image.
type recipe struct {
	Suite    Suite
	Base     string   // name of the image below it; empty when debootstrap makes the base
	Packages []string // installed in one transaction, together with the upgrade
	Finish   string   // script run inside at the end
}

// finishHost makes the base system a machine on which a desktop login works.
// The apt timers go because a host without a network would run and fail them.
const finishHost = `
useradd --create-home --shell /bin/bash ` + TestUser + `
echo ` + TestUser + ":" + TestPassword + ` | chpasswd
printf '#!/bin/sh\nexec xterm\n' >/home/` + TestUser + `/.xsession
chmod 755 /home/` + TestUser + `/.xsession
chown ` + TestUser + `: /home/` + TestUser + `/.xsession
systemctl mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer >/dev/null 2>&1
`

// hostRecipe returns how the image of a suite's hosts is made.
func hostRecipe(s Suite) recipe {
	return recipe{
		Suite: s,
		Packages: []string{
			"systemd", "systemd-sysv", "dbus", "libpam-systemd", "xrdp", "xorgxrdp", "xserver-xorg-core", "xterm",
			"ssl-cert", "openssl", "procps", "iproute2", "logrotate", "python3",
		},
		Finish: finishHost,
	}
}

// layerRecipe returns how the layer over base that adds packages is made.
func layerRecipe(base Image, packages []string) recipe {
	return recipe{Suite: base.Suite, Base: base.Name, Packages: packages}
}

// name is the directory name of the recipe's image.
func (r recipe) name() string {
	text := strings.Join([]string{
		string(r.Suite), r.Base, strings.Join(r.Packages, " "), r.Finish,
		r.Suite.sources(), strings.Join(aptOptions, " "), buildScript,
	}, "\x00")
	sum := sha256.Sum256([]byte(text))
	kind := string(r.Suite)
	if r.Base != "" {
		kind += "-layer"
	}
	return fmt.Sprintf("%s-%s", kind, hex.EncodeToString(sum[:6]))
}
