// The ELF notes that Xen reads, and the first instructions. Source: xen/elfnote.h.

.macro note type, directive, value:vararg
    .pushsection .note.Xen, "a", @note
    .balign 4
    .long 4, 2f - 1f, \type
    .asciz "Xen"
1:  \directive \value
2:  .balign 4
    .popsection
.endm

note {XEN_VERSION}, .asciz, "xen-3.0"
note {GUEST_OS}, .asciz, "xendless"
note {LOADER}, .asciz, "generic"
note {VIRT_BASE}, .quad, VIRT_BASE
note {PADDR_OFFSET}, .quad, 0
note {ENTRY}, .quad, xendless_entry
note {HYPERCALL_PAGE}, .quad, hypercall_page
note {PAE_MODE}, .asciz, "yes"
// The boot bundle may be larger than what Xen would map: it stays unmapped, and we map it ourselves.
note {MOD_START_PFN}, .quad, 1
// Can be the initial domain.
note {SUPPORTED_FEATURES}, .long, 1 << {FEATURE_DOM0}

// Xen fills this page, one entry per hypercall number.
    .pushsection .text.hypercall_page, "ax", @progbits
    .balign 4096
    .globl hypercall_page
hypercall_page:
    .skip 4096, 0xcc
    .popsection

// rsi = start_info. Upcalls are masked and stay so, except inside the hypercall that blocks.
    .pushsection .text.entry, "ax", @progbits
    .globl xendless_entry
xendless_entry:
    cld
    lea rsp, [rip + stack_top]
    xor ebp, ebp
    mov rdi, rsi
    call {start}
    ud2
    .popsection
