/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_PLATFORM_H
#define SHUNT_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The platform: who answers the system calls. Everything above it (iommufd, vfio, the NIC drivers)
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
 * One IOMMU fault, as the platform reports it. Several observers may report the same fault: each
 * reports it once.
 */
struct shunt_fault {
	uint64_t time;     /**< when it was seen, in shunt_clock ticks */
	char observer[16]; /**< who saw it: "sim", "kmsg", "tracepoint", "interrupts" */
	char function[16]; /**< PCI function, "0000:03:00.0"; "": a DMA was refused, or may have
			    been, and nobody can tell whose, for records were suppressed,
			    merged or lost. The other fields say nothing then. */
	uint64_t iova;     /**< address that was refused */
	bool write;        /**< the device wrote */
	uint32_t reason;   /**< the IOMMU's own reason code; enum shunt_sim_reason on sim */
};

/** What runs below, for outputs and records: never let a model's figure pass as silicon's. */
struct shunt_platform_info {
	char iommu[64];  /**< e.g. "sim blocking", "intel-iommu legacy" */
	char nic[64];    /**< e.g. "82576 model, drop"; "" on the kernel: lib/pci has its name */
	char kernel[64]; /**< release of the kernel that switches, "6.12.95"; "" on sim */
	char fault_observers[64]; /**< who reports faults, names with spaces between; "": nobody.
				       On the kernel filled from the first faults() on */
	bool emulated;            /**< true for sim and for a virtual machine */
};

/**
 * Operations of a platform. All return a negative errno on failure. Any thread may call any of
 * them, as with system calls.
 */
struct shunt_platform_ops {
	/** open(2), O_RDWR | O_CLOEXEC. @return a descriptor >= 0 of this platform. */
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
	 * Takes out up to n fault records in order of time: of every DMA that was refused before
	 * the call and since the first one. A function without a record had no DMA refused, unless
	 * a record with function "" is among them. Fewer than n: there are no more.
	 *
	 * On the kernel the first call begins to observe, and each may move the calling thread to
	 * other processors for a moment: it returns when the handlers of interrupts are done.
	 *
	 * @return number of records; -ENOTSUP where this platform cannot see faults; -EOVERFLOW,
	 *         once after records were lost for want of room, of whatever function:
	 *         shunt_errmsg() says how many, and the next call goes on with those that are left.
	 */
	int (*faults)(struct shunt_platform *platform, struct shunt_fault *records, unsigned int n);
	/** Says what runs below. */
	void (*info)(struct shunt_platform *platform, struct shunt_platform_info *info);
	/** Releases the platform; every descriptor must have been closed. */
	void (*destroy)(struct shunt_platform *platform);
};

/** A platform. Implementations embed this as their first member. */
struct shunt_platform {
	const struct shunt_platform_ops *ops;
	const char *name;      /**< "kernel" or "sim" */
	const char *sysfs;     /**< root of the sysfs tree that describes its PCI functions */
	bool registers_mapped; /**< loads and stores of a mapped region reach the device as read()
				    and write() do */
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
 * /dev/iommu, or a device's cdev, opened by somebody who may. It is the platform's from now on and
 * serves one open.
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
