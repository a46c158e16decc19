#include "segments.h"

#include <stddef.h>
#include <sys/socket.h>

#ifdef __linux__
#include <netinet/in.h>

#include <linux/tcp.h>

bool segments_received(int socket, uint32_t *count)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
		len < offsetof(struct tcp_info, tcpi_data_segs_in) +
				sizeof(info.tcpi_data_segs_in)) {
		return false;
	}
	*count = info.tcpi_data_segs_in;
	return true;
}
#else
bool segments_received(int socket, uint32_t *count)
{
	(void)socket;
	(void)count;
	return false;
}
#endif
