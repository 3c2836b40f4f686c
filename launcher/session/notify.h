/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/**
 * hvr_notify_ready - tell the service manager that started this process (Type=notify) that the VM
 * runs. Nothing happens where nobody asked to be told, or nobody listens.
 * @status: one line for `systemctl status`
 */
void hvr_notify_ready(const char *status);
