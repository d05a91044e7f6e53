/** The product's sign: a portrait that begins to speak. */
export function Mark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true">
      <rect width="32" height="32" rx="9" fill="#3a45d8" />
      <path
        fill="#fff"
        d="M13.2 8.2a4.3 4.3 0 1 1 0 8.6 4.3 4.3 0 0 1 0-8.6Zm0 10.3c3.9 0 6.7 2.2 6.7 5.1 0 .7-.5 1.2-1.2 1.2h-11c-.7 0-1.2-.5-1.2-1.2 0-2.9 2.8-5.1 6.7-5.1Z"
      />
      <path
        fill="none"
        stroke="#fff"
        strokeWidth="1.9"
        strokeLinecap="round"
        d="M20.4 10.1v4.8M23.5 7.7v9.6M26.4 11v3"
      />
    </svg>
  );
}
