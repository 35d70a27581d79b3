/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_PLATFORM_H
#define SHUNT_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The platform: what answers the system calls. Everything above it (iommufd, vfio, the NIC drivers)
 * makes its calls through this table and cannot tell the kernel from the software platform:
 *
 *        lib/iommufd   lib/vfio   lib/pci   drivers/net
 *                 \        |        |        /
 *                  struct shunt_platform (ops)
 *                 /                           \
 *        kernel: /dev/iommu,              sim: lib/sim
 *        /dev/vfio/devices/vfioN
 *
 * Same requests, same structures (<linux/iommufd.h>, <linux/vfio.h>), same errnos on both.
 * Doorbells and the packet path do not come through here: they are plain stores to what map()
 * returned.
 */

#ifdef __cplusplus
extern "C" {
#endif

struct shunt_platform;

/** What DMA may do to a mapping. */
enum shunt_dma_prot {
	SHUNT_DMA_READ = 1 << 0,  /**< the device may read memory */
	SHUNT_DMA_WRITE = 1 << 1, /**< the device may write memory */
	SHUNT_DMA_BOTH = SHUNT_DMA_READ | SHUNT_DMA_WRITE,
};

/**
 * One IOMMU fault as the platform reports it, or that it is unknown whether there was one. Several
 * observers may report the same fault, each once.
 */
struct shunt_fault {
	uint64_t time;     /**< when it was seen, in shunt_clock ticks */
	char observer[16]; /**< what saw it: "sim", "kmsg", "tracepoint", "interrupts" */
	char function[16]; /**< PCI function, "0000:03:00.0" */
	uint64_t iova;     /**< address that was refused */
	bool write;        /**< the device wrote */
	bool unknown;      /**< not a fault: it is unknown whether DMA of this function was
			    refused. Address, write and reason mean nothing. */
	uint32_t reason;   /**< the IOMMU's own reason code; enum shunt_sim_reason on sim */
};

/** What runs below, for outputs and records: never let a model's figure pass as silicon's. */
struct shunt_platform_info {
	char iommu[64];  /**< e.g. "sim blocking", "intel-iommu legacy"; of the function asked about
			  */
	char nic[64];    /**< e.g. "82576 model, drop"; "" on the kernel: lib/pci has its name */
	char kernel[64]; /**< release of the kernel that switches, "6.12.95"; "" on sim */
	char fault_observers[64]; /**< what reports faults, names with spaces between; "": none.
				       On the kernel filled from the first watch() on */
	bool emulated;            /**< true for sim and for a virtual machine */
};

/**
 * Operations of a platform. All return a negative errno on failure. Any thread may call any of
 * them, as with system calls.
 */
struct shunt_platform_ops {
	/**
	 * open(2), O_RDWR | O_CLOEXEC. @return a descriptor >= 0 of this platform; -ESTALE: what
	 * is at the path is not the device that sysfs has for it, shunt_errmsg() says which.
	 */
	int (*open)(struct shunt_platform *platform, const char *path);
	/** close(2). */
	int (*close)(struct shunt_platform *platform, int fd);
	/** ioctl(2) of iommufd and VFIO. @return what the ioctl returns, >= 0. */
	int (*ioctl)(struct shunt_platform *platform, int fd, unsigned long request, void *arg);
	/** mmap(2) of a device region, shared, read and write. */
	int (*map)(struct shunt_platform *platform, int fd, uint64_t offset, size_t length,
		void **addr);
	/** munmap(2) of what map() returned. */
	int (*unmap)(struct shunt_platform *platform, void *addr, size_t length);
	/** pread(2) of a device region; short reads are -EIO. The device acts on it. */
	int (*read)(
		struct shunt_platform *platform, int fd, uint64_t offset, void *buf, size_t length);
	/** pwrite(2) of a device region; short writes are -EIO. The device acts on it. */
	int (*write)(struct shunt_platform *platform, int fd, uint64_t offset, const void *buf,
		size_t length);
	/**
	 * Begins to look for faults of a function.
	 *
	 * @return 0, also if it is watched already; -EINVAL no PCI function; -ENOMEM; -ENOSPC
	 */
	int (*watch)(struct shunt_platform *platform, const char *function);
	/**
	 * Takes out up to n fault records in order of time: of every DMA of the functions that are
	 * watched that was refused before the call and since the last one. A function without a
	 * record had no DMA refused. Fewer than n: there are no more.
	 *
	 * On the kernel it waits until the processors of the IOMMU's fault interrupts have handled
	 * them, for a tenth of a second at most; what is not known by then is unknown.
	 *
	 * @return number of records; -ENOTSUP where this platform cannot see faults; -EOVERFLOW,
	 *         once after records of any function were lost for lack of room:
	 *         shunt_errmsg() says how many, and the next call goes on with those that are left.
	 */
	int (*faults)(struct shunt_platform *platform, struct shunt_fault *records, unsigned int n);
	/**
	 * Says what runs below.
	 *
	 * @param function  whose IOMMU is meant, "0000:03:00.0"; NULL: every one that has PCI
	 *                  functions, with " and " between their kinds, in order of name
	 */
	void (*info)(struct shunt_platform *platform, const char *function,
		struct shunt_platform_info *info);
	/** Releases the platform; every descriptor must have been closed. */
	void (*destroy)(struct shunt_platform *platform);
	/**
	 * Time as the platform's devices have it, in shunt_clock ticks, which waits for a device
	 * are bounded by (shunt_wait.h). It never goes back, and does not pass while the devices
	 * cannot act. NULL: they always can, and it is shunt_clock's.
	 */
	uint64_t (*time)(struct shunt_platform *platform);
};

/** A platform. Implementations embed this as their first member. */
struct shunt_platform {
	const struct shunt_platform_ops *ops;
	const char *name;      /**< "kernel" or "sim" */
	const char *sysfs;     /**< root of the sysfs tree that describes its PCI functions */
	bool registers_mapped; /**< loads and stores of a mapped region reach the device as read()
				    and write() do */
	uint64_t dead; /**< 1 + the time at which its devices were found dead (shunt_wait.h) */
};

/**
 * The kernel of this machine: /dev/iommu and /dev/vfio/devices. Takes nothing until asked.
 *
 * @param[out] platform  released with shunt_platform_destroy()
 * @return 0, -ENOMEM
 */
int shunt_platform_kernel(struct shunt_platform **platform);

/**
 * Lets the kernel platform use a descriptor that the process came with, in place of opening a path:
 * /dev/iommu, or a device's cdev, opened by a process that may. It is the platform's from now on
 * and serves one open.
 *
 * @return 0; -EBADF not open; -EEXIST the path has one; -EINVAL another platform; -ENOMEM
 */
int shunt_platform_inherit(struct shunt_platform *platform, const char *path, int fd);

/** Releases a platform. NULL is allowed. */
void shunt_platform_destroy(struct shunt_platform *platform);

#ifdef __cplusplus
}
#endif

#endif
