/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_82576_VF_H
#define SHUNT_82576_VF_H

#include "82576.h"

/*
 * Virtual functions of the 82576, 7.8 and 8.14: what they have of its registers, in a BAR 0 of
 * their own, and the messages to the driver of the physical function.
 *
 *   CTRL (RST only), STATUS, EICS to EICR, EITR of 3 vectors   where the physical function has them
 *   queues 0 and 1                                             at the second place of queues
 *   RCTL, TCTL, CTRL.GIO_MASTER_DISABLE, filters, RSS, PHY, EEPROM   not at all
 *
 * The rest is asked of that driver by a mailbox of 16 words. The messages are a convention of
 * Intel's drivers, not of the NIC; they are checked against DPDK's and Linux's. Knowledge is marked
 * as in 82576.h.
 */

#define SHUNT_82576_VF_BAR0_SIZE           0x4000u
#define SHUNT_82576_VF_QUEUES              2u
#define SHUNT_82576_VF_VECTORS             3u

#define SHUNT_82576_VTIVAR                 0x1700u /* a byte: receive 0, transmit 0, receive 1, transmit 1 */
#define SHUNT_82576_VTIVAR_RX_SHIFT(queue) (16u * (queue))
#define SHUNT_82576_VTIVAR_MISC            0x1740u /* the mailbox, in bits 7:0 */

#define SHUNT_82576_V2PMAILBOX             0x0C40u
#define SHUNT_82576_V2PMAILBOX_REQ         (1u << 0) /* write: a message is there */
#define SHUNT_82576_V2PMAILBOX_ACK         (1u << 1) /* write: the message was read */
#define SHUNT_82576_V2PMAILBOX_VFU         (1u << 2) /* the words are ours, if it reads 1 */
#define SHUNT_82576_V2PMAILBOX_PFU         (1u << 3) /* the words are the other side's */
#define SHUNT_82576_V2PMAILBOX_PFSTS       (1u << 4) /* it wrote a message; clears on read */
#define SHUNT_82576_V2PMAILBOX_PFACK       (1u << 5) /* it read ours; clears on read */
#define SHUNT_82576_V2PMAILBOX_RSTI        (1u << 6) /* it is being reset */
#define SHUNT_82576_V2PMAILBOX_RSTD        (1u << 7) /* its reset is over; clears on read */
#define SHUNT_82576_V2PMAILBOX_CLEARS      0xB0u     /* bits that a read clears */
#define SHUNT_82576_VMBMEM(n)              (0x0800u + 4u * (n))
#define SHUNT_82576_VMBMEM_WORDS           16u

/* Messages, by convention of Intel's drivers: type, and in the first word of an answer the result
 */
#define SHUNT_82576_VF_RESET           0x01u /* answer: the address that was assigned */
#define SHUNT_82576_VF_SET_ADDRESS     0x02u
#define SHUNT_82576_VF_SET_MULTICAST   0x03u  /* count in INFO, then 16 bits a hash value */
#define SHUNT_82576_VF_SET_VLAN        0x04u  /* INFO: 1 adds, 0 removes */
#define SHUNT_82576_VF_SET_LONGEST     0x05u  /* longest frame, FCS included */
#define SHUNT_82576_VF_SET_PROMISCUOUS 0x06u  /* INFO: 1 unicast, 2 multicast */
#define SHUNT_82576_PF_CONTROL         0x100u /* not asked for: link or reset, look again */
#define SHUNT_82576_MESSAGE_TYPE       0xFFFFu
#define SHUNT_82576_MESSAGE_INFO_SHIFT 16
#define SHUNT_82576_MESSAGE_CTS        (1u << 29) /* further messages are welcome */
#define SHUNT_82576_MESSAGE_NACK       (1u << 30)
#define SHUNT_82576_MESSAGE_ACK        (1u << 31)
#define SHUNT_82576_VF_MULTICASTS      30u
#define SHUNT_82576_VF_UNICAST         (1u << 16)
#define SHUNT_82576_VF_MULTICAST       (2u << 16)

/* Statistics: 32 bits, which wrap around and do not clear when read */
#define SHUNT_82576_VFGPRC   0x0F10u
#define SHUNT_82576_VFGPTC   0x0F14u
#define SHUNT_82576_VFGORC   0x0F18u
#define SHUNT_82576_VFGOTC   0x0F34u
#define SHUNT_82576_VFMPRC   0x0F3Cu
#define SHUNT_82576_VFGPRLBC 0x0F40u /* of and to functions of the same port, as the next three */
#define SHUNT_82576_VFGPTLBC 0x0F44u
#define SHUNT_82576_VFGORLBC 0x0F48u
#define SHUNT_82576_VFGOTLBC 0x0F50u

#endif
