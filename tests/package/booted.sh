# SPDX-License-Identifier: MIT
# Runs inside the booted system; says "all is well" in the end, or where it was.
exec >/root/booted.log 2>&1
set -ex
trap 'systemctl status --no-pager reprise.service reprise.socket
    journalctl --no-pager -u reprise' EXIT

# set -e does not look at what stands behind a "!".
fails()
{
	if "$@"; then
		return 1
	fi
}

unix=/run/reprise/reprise.sock
web=127.0.0.1:8080

# The service runs with all that its unit takes away, has its token, knows its cache.
systemctl is-active reprise.service
grep -q '^NoNewPrivs:.*1' "/proc/$(systemctl show -P MainPID reprise)/status"
grep -q '^Seccomp:.*2' "/proc/$(systemctl show -P MainPID reprise)/status"
perl /root/ask.pl $unix | grep -q '^x-compute-type: cache'

# A new configuration is taken; of a wrong one the operator hears, and nothing changes.
pid=$(systemctl show -P MainPID reprise)
sed -i 's/^  ttl: 30d/  ttl: 20d/' /etc/reprise/reprise.yaml
systemctl reload reprise.service
cp -p /etc/reprise/reprise.yaml /root/right.yaml
echo 'nonsense: yes' >>/etc/reprise/reprise.yaml
fails systemctl reload reprise.service
journalctl -u reprise | grep 'nonsense: unknown option'
cp -p /root/right.yaml /etc/reprise/reprise.yaml
perl /root/ask.pl $unix | grep -q '^x-compute-type: cache'
[ "$(systemctl show -P MainPID reprise)" = "$pid" ]

# A crash is followed by a start, a wrong configuration is not.
systemctl kill -s KILL reprise.service
until perl /root/ask.pl $unix | grep -q '^x-compute-type: cache'; do sleep 0.1; done
echo 'nonsense: yes' >/run/wrong.yaml
mkdir -p /run/systemd/system/reprise.service.d
printf '[Service]\nExecStart=\nExecStart=/usr/bin/reprise serve -c /run/wrong.yaml\n' \
    >/run/systemd/system/reprise.service.d/wrong.conf
chmod 644 /run/wrong.yaml
systemctl daemon-reload
fails systemctl restart reprise.service
[ "$(systemctl show -P NRestarts reprise)" = 0 ]
rm -r /run/systemd/system/reprise.service.d
systemctl daemon-reload
systemctl reset-failed reprise.service

# The socket: a question starts the service, and restarts it after a stop.
systemctl enable --now reprise.socket
fails systemctl is-active reprise.service
perl /root/ask.pl $web | grep -q '^x-compute-type: cache'
systemctl is-active reprise.service
for i in 1 2 3 4 5; do
	perl /root/ask.pl $web
done | grep -c '^x-compute-type: cache' | grep -qx 5
systemctl restart reprise.service &
for i in 1 2 3 4 5 6 7 8 9 10; do
	perl /root/ask.pl $web
done | grep -c '^x-compute-type: cache' | grep -qx 10
wait

# What is installed over it goes on where it was.
dpkg -i --force-confold /root/reprise_*+next_*.deb
systemctl is-active reprise.service reprise.socket
perl /root/ask.pl $web | grep -q '^x-compute-type: cache'

# Removed, neither is left running.
dpkg --remove reprise
fails systemctl is-active reprise.service
fails systemctl is-active reprise.socket
fails perl /root/ask.pl $web
trap - EXIT
echo "all is well"
